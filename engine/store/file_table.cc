#include "engine/store/file_table.h"

#include <algorithm>

namespace stela::store {

namespace {
constexpr size_t kSectionsMax = 4096;
}

template <typename Value>
Value* FileTable::Lru<Value>::find(std::pair<uint64_t, uint64_t> key) {
  auto found = places.find(key);
  if (found == places.end()) return nullptr;
  order.splice(order.begin(), order, found->second);
  return &found->second->second;
}

template <typename Value>
void FileTable::Lru<Value>::insert(std::pair<uint64_t, uint64_t> key, Value value, size_t limit) {
  if (find(key) != nullptr) return;
  order.emplace_front(key, std::move(value));
  places[key] = order.begin();
  while (order.size() > limit) {
    places.erase(order.back().first);
    order.pop_back();
  }
}

template <typename Value>
void FileTable::Lru<Value>::erase_first(uint64_t first) {
  auto from = places.lower_bound({first, 0});
  while (from != places.end() && from->first.first == first) {
    order.erase(from->second);
    from = places.erase(from);
  }
}

FileTable::FileTable(Files& files, uint64_t store_id, std::shared_ptr<catalog::BlockCache> cache,
                     uint32_t descriptors_max)
    : files_(files), descriptors_max_(std::max(descriptors_max, 8u)) {
  context_.store_id = store_id;
  context_.source = this;
  context_.cache = std::move(cache);
  context_.verified = std::make_shared<format::VerifiedExtents>();
}

Result<std::shared_ptr<FileReader>> FileTable::open(FileId id, format::FileKind kind) {
  std::pair<uint64_t, uint64_t> key{id.value, static_cast<uint64_t>(kind)};
  {
    std::lock_guard lock(mutex_);
    if (auto* reader = readers_.find(key)) return *reader;
  }
  std::string name = format::data_file_name(id, kind);
  auto opened = files_.open(name);
  if (opened.status().code() == Code::kNotFound) {
    return damaged("the data file '" + name + "' is missing from the store");
  }
  if (!opened.ok()) return opened.status();
  std::lock_guard lock(mutex_);
  readers_.insert(key, *opened, descriptors_max_);
  return opened;
}

Result<std::shared_ptr<const format::FragmentReader>> FileTable::section(FileId id, uint64_t offset, uint64_t length) {
  {
    std::lock_guard lock(mutex_);
    if (auto* section = sections_.find({id.value, offset})) return *section;
  }
  STELA_ASSIGN(auto opened, format::FragmentReader::open(context_, id, offset, length));
  std::lock_guard lock(mutex_);
  sections_.insert({id.value, offset}, opened, kSectionsMax);
  return opened;
}

void FileTable::trust_written(const format::DataFile& file) {
  if (file.kind != format::FileKind::kFlat) return;
  auto reader = open(file.id, file.kind);
  // What cannot be opened now, or is not as long as it was written, is verified when it is read.
  if (!reader.ok() || (*reader)->size() != file.bytes) return;
  context_.verified->set_all_verified(file.id, (*reader)->fingerprint(), file.bytes / format::kFlatExtentBytes + 1);
}

void FileTable::forget(FileId id) {
  std::lock_guard lock(mutex_);
  readers_.erase_first(id.value);
  sections_.erase_first(id.value);
  context_.verified->clear(id);
  if (context_.cache) context_.cache->erase_file(id.value);
}

FileId FileTable::allocate() {
  std::lock_guard lock(mutex_);
  FileId id{next_file_++};
  unsettled_.insert(id.value);
  return id;
}

void FileTable::settle(FileId id) {
  std::lock_guard lock(mutex_);
  unsettled_.erase(id.value);
}

uint64_t FileTable::lowest_unsettled() const {
  std::lock_guard lock(mutex_);
  return unsettled_.empty() ? next_file_ : *unsettled_.begin();
}

uint64_t FileTable::next_file() const {
  std::lock_guard lock(mutex_);
  return next_file_;
}

void FileTable::set_next_file(uint64_t next) {
  std::lock_guard lock(mutex_);
  next_file_ = std::max(next_file_, next);
}

}  // namespace stela::store
