#include "fsd/tree/column_stream.h"

#include <algorithm>
#include <cstring>

#include "fsd/ingest/npy_header.h"
#include "fsd/ingest/npy_values.h"

namespace stela::fsd {

namespace {

// The first bytes of a file that is going to be as long as its header says.
class HeadSource : public ByteSource {
 public:
  explicit HeadSource(ByteSpan head) : head_(head) {}
  uint64_t size() const override { return head_.size(); }
  Status read(uint64_t offset, MutableByteSpan into) override {
    if (offset > head_.size() || into.size() > head_.size() - offset) return invalid("incomplete");
    if (!into.empty()) std::memcpy(into.data(), head_.data() + offset, into.size());
    return {};
  }

 private:
  const ByteSpan head_;
};

}  // namespace

std::shared_ptr<ColumnStream> ColumnStream::start(const Table& table, const std::string& column,
                                                  const std::optional<ColumnInfo>& replaced, VersionNumber base,
                                                  ByteSpan head) {
  HeadSource source(head);
  auto header = read_npy_prefix(source, 0);
  if (!header.ok() || header->element != NpyElement::kPlain || header->swapped || header->fortran_order) return nullptr;
  if (header->data_offset > head.size() || header->row_bytes != header->type.value_width()) return nullptr;
  if (header->row_bytes == 0 || header->row_bytes > Spool::kStreamHeadBytes / 2) return nullptr;
  uint64_t array_bytes = header->rows * header->row_bytes;
  if (head.size() - header->data_offset >= array_bytes) return nullptr;
  DataType type = replaced ? npy_type_for_column(header->type, replaced->type) : header->type;
  if (!(type == header->type)) return nullptr;
  auto writer = table.column_writer(Field{column, type, true}, replaced.has_value(), base);
  if (!writer.ok()) return nullptr;
  std::string text(reinterpret_cast<const char*>(head.data()), header->data_offset);
  std::shared_ptr<ColumnStream> stream(
      new ColumnStream(std::move(writer).value(), std::move(type), std::move(text), array_bytes));
  if (!stream->append_rows(head.subspan(header->data_offset)).ok()) return nullptr;
  // In pages, or still in memory: nothing is gained, and it could not be read back.
  if (stream->writer_->flat_bytes() != stream->value_bytes_) return nullptr;
  return stream;
}

Result<bool> ColumnStream::take(ByteSpan bytes) {
  if (closed_ || bytes.size() > array_bytes_ - value_bytes_ - rest_.size()) return false;
  STELA_TRY(append_rows(bytes));
  return true;
}

Status ColumnStream::append_rows(ByteSpan bytes) {
  uint64_t width = type_.value_width();
  auto append = [&](ByteSpan rows) -> Status {
    ColumnView view;
    view.type = &type_;
    view.rows = rows.size() / width;
    view.values = rows.data();
    STELA_TRY(writer_->append(view));
    value_bytes_ += rows.size();
    return {};
  };
  if (!rest_.empty()) {
    size_t lacking = std::min<size_t>(width - rest_.size(), bytes.size());
    rest_.append(bytes.first(lacking));
    bytes = bytes.subspan(lacking);
    if (rest_.size() < width) return {};
    STELA_TRY(append(rest_.span()));
    rest_.clear();
  }
  size_t whole = bytes.size() / width * width;
  if (whole > 0) STELA_TRY(append(bytes.first(whole)));
  rest_.append(bytes.subspan(whole));
  return {};
}

Status ColumnStream::read(uint64_t offset, MutableByteSpan into) {
  if (offset < header_.size() && !into.empty()) {
    size_t count = std::min<size_t>(into.size(), header_.size() - offset);
    std::memcpy(into.data(), header_.data() + offset, count);
    into = into.subspan(count);
    offset += count;
  }
  uint64_t at = offset - std::min<uint64_t>(offset, header_.size());
  if (at < value_bytes_ && !into.empty()) {
    size_t count = std::min<uint64_t>(into.size(), value_bytes_ - at);
    STELA_TRY(writer_->read_back(at, into.first(count)));
    into = into.subspan(count);
    at += count;
  }
  if (into.empty()) return {};
  if (at - value_bytes_ + into.size() > rest_.size()) return invalid("a read passes the end of what was written");
  std::memcpy(into.data(), rest_.data() + (at - value_bytes_), into.size());
  return {};
}

Result<VersionInfo> ColumnStream::commit(const CommitInfo& info) {
  closed_ = true;
  return writer_->commit(info);
}

}  // namespace stela::fsd
