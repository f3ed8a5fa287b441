#include "fsd/tree/receipts.h"

#include "engine/catalog/keys.h"

namespace stela::fsd {

namespace {
constexpr uint8_t kReceiptFormat = 1;
}

std::string encode_receipt(const Receipt& receipt) {
  std::string out;
  put_fixed(out, kReceiptFormat);
  put_fixed(out, receipt.size);
  put_fixed(out, receipt.mtime_ns);
  put_fixed(out, receipt.mode);
  put_fixed(out, receipt.uid);
  put_fixed(out, receipt.gid);
  put_fixed(out, receipt.version.value);
  put_text(out, receipt.head);
  return out;
}

bool decode_receipt(std::string_view bytes, Receipt* out) {
  Decoder in(bytes);
  uint8_t format = 0;
  if (!in.fixed(&format) || format != kReceiptFormat) return false;
  return in.fixed(&out->size) && in.fixed(&out->mtime_ns) && in.fixed(&out->mode) && in.fixed(&out->uid) &&
         in.fixed(&out->gid) && in.fixed(&out->version.value) && in.text(&out->head) && in.at_end();
}

Result<std::optional<Receipt>> Receipts::find(NodeId dataset, const std::string& name) {
  std::string key = catalog::key(dataset, catalog::KeyKind::kReceipt, name);
  {
    std::lock_guard lock(mutex_);
    auto found = known_.find(key);
    if (found != known_.end()) {
      order_.splice(order_.begin(), order_, found->second);
      return found->second->receipt;
    }
    auto unsaved = unsaved_.find(key);
    if (unsaved != unsaved_.end()) return unsaved->second;
  }
  std::string value;
  Status status = store_.get(key, &value);
  if (!status.ok() && status.code() != Code::kNotFound) return status;
  std::optional<Receipt> receipt;
  Receipt stored;
  // An empty value is a receipt that was removed.
  if (status.ok() && decode_receipt(value, &stored)) receipt = stored;
  std::lock_guard lock(mutex_);
  if (!known_.contains(key)) learn_locked(key, receipt, false);
  return known_.at(key)->receipt;
}

void Receipts::learn_locked(const std::string& key, std::optional<Receipt> receipt, bool unsaved) {
  auto found = known_.find(key);
  if (found != known_.end()) {
    order_.erase(found->second);
    known_.erase(found);
  }
  order_.push_front({key, receipt});
  known_[key] = order_.begin();
  if (unsaved) unsaved_[key] = std::move(receipt);
  while (known_.size() > receipts_max_ && known_.size() > 1) {
    Known& oldest = order_.back();
    // The catalogue forgets with the memory, so that the number of names stays bounded there too.
    if (oldest.receipt.has_value()) unsaved_[oldest.key] = std::nullopt;
    known_.erase(oldest.key);
    order_.pop_back();
  }
}

void Receipts::put(NodeId dataset, const std::string& name, Receipt receipt) {
  std::lock_guard lock(mutex_);
  learn_locked(catalog::key(dataset, catalog::KeyKind::kReceipt, name), std::move(receipt), true);
}

void Receipts::remove(NodeId dataset, const std::string& name) {
  std::lock_guard lock(mutex_);
  learn_locked(catalog::key(dataset, catalog::KeyKind::kReceipt, name), std::nullopt, true);
}

Status Receipts::persist() {
  std::map<std::string, std::optional<Receipt>> saving;
  {
    std::lock_guard lock(mutex_);
    saving.swap(unsaved_);
  }
  if (saving.empty()) return {};
  auto result = store_.commit({.author = "stela", .operation = "receipts"}, [&](CommitBuilder& commit) -> Status {
    for (const auto& [key, receipt] : saving) commit.put(key, receipt ? encode_receipt(*receipt) : std::string());
    return {};
  });
  return result.ok() ? Status() : result.status();
}

size_t Receipts::size() const {
  std::lock_guard lock(mutex_);
  return known_.size();
}

}  // namespace stela::fsd
