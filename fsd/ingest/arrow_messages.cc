#include "fsd/ingest/arrow_messages.h"

#include "fsd/arrow/arrow_ipc_generated.h"

namespace stela::fsd {
namespace {

namespace ipc = arrow_ipc;

constexpr std::string_view kMagic = "ARROW1";
constexpr uint64_t kStreamOffsetInFile = 8;

Status incomplete_file(const char* what) {
  return invalid(std::string("the .arrow file is incomplete: it ends within ") + what);
}

template <typename Table>
bool verify(const Buffer& bytes) {
  // One column nests a field a list level; tables are bounded so that shared ones cannot multiply the work.
  flatbuffers::Verifier verifier(bytes.as<uint8_t>(), bytes.size(), 128, 1'000'000);
  return verifier.VerifyBuffer<Table>(nullptr);
}

struct MessageBytes {
  Buffer metadata;
  const ipc::Message* message = nullptr;
  uint64_t body_offset = 0;
  uint64_t end = 0;  // of the body
};

// The message at `offset`, its metadata verified; nullopt at an end-of-stream mark. *cut_off is set where it does not
// end below `limit`.
Result<std::optional<MessageBytes>> read_message(ByteSource& source, uint64_t offset, uint64_t limit,
                                                 bool* cut_off = nullptr) {
  auto incomplete = [&](const char* what) -> Status {
    if (cut_off != nullptr) *cut_off = true;
    return incomplete_file(what);
  };
  std::byte prefix[8] = {};
  if (limit - offset < 4) return incomplete("a message");
  STELA_TRY(source.read(offset, {prefix, limit - offset < 8 ? size_t{4} : size_t{8}}));
  auto first = get_fixed<uint32_t>(prefix);
  bool legacy = first != 0xFFFFFFFF;  // before Arrow 0.15 no mark preceded the length
  if (!legacy && limit - offset < 8) return incomplete("a message");
  uint32_t length = legacy ? first : get_fixed<uint32_t>(prefix + 4);
  if (length == 0) return std::optional<MessageBytes>();
  if (length > kArrowMetadataBytesMax) {
    if (offset == 0) return invalid("this is neither an Arrow file nor an Arrow stream");
    return Status(Code::kLimit, "an Arrow message declares " + std::to_string(length) +
                                    " bytes of metadata; the limit is " + std::to_string(kArrowMetadataBytesMax));
  }
  uint64_t metadata_offset = offset + (legacy ? 4 : 8);
  if (limit - metadata_offset < length) return incomplete("a message");
  MessageBytes out;
  out.metadata.resize(length);
  STELA_TRY(source.read(metadata_offset, out.metadata.span()));
  if (!verify<ipc::Message>(out.metadata)) return invalid("the metadata of an Arrow message are broken");
  out.message = flatbuffers::GetRoot<ipc::Message>(out.metadata.data());
  if (out.message->version() != ipc::MetadataVersion::V5 && out.message->version() != ipc::MetadataVersion::V4) {
    return unsupported("this version of the Arrow format is not supported; V4 and V5 are");
  }
  out.body_offset = metadata_offset + length;
  int64_t body = out.message->body_length();
  if (body < 0) return invalid("an Arrow message declares a body of " + std::to_string(body) + " bytes");
  if (limit - out.body_offset < static_cast<uint64_t>(body)) return incomplete("the body of a message");
  out.end = out.body_offset + static_cast<uint64_t>(body);
  return std::optional<MessageBytes>(std::move(out));
}

Result<ArrowMessage> batch_of(const MessageBytes& bytes) {
  ArrowMessage out;
  out.body_offset = bytes.body_offset;
  out.body_bytes = bytes.end - bytes.body_offset;
  if (const auto* dictionary = bytes.message->header_as_DictionaryBatch()) {
    out.is_dictionary = true;
    out.is_delta = dictionary->is_delta();
    out.dictionary_id = dictionary->id();
    out.batch = dictionary->data();
  } else {
    out.batch = bytes.message->header_as_RecordBatch();
  }
  if (out.batch == nullptr) return invalid("an Arrow message is neither a record batch nor a dictionary");
  return out;
}

class StreamMessages final : public ArrowMessages {
 public:
  explicit StreamMessages(ByteSource& source) : source_(source) {}

  Status start() {
    STELA_ASSIGN(std::optional<MessageBytes> first, read_message(source_, 0, source_.size(), &cut_off_));
    if (!first || first->message->header_as_Schema() == nullptr) {
      return invalid("this is neither an Arrow file nor an Arrow stream: it does not begin with a schema");
    }
    schema_ = std::move(*first);
    next_ = schema_.end;
    return {};
  }
  const ipc::Schema& schema() const override { return *schema_.message->header_as_Schema(); }

  Result<std::optional<ArrowMessage>> next() override {
    // The end mark may be missing: a stream may end with its file.
    const uint64_t size = source_.size();
    if (ended_ || next_ >= size) return std::optional<ArrowMessage>();
    cut_off_ = false;
    STELA_ASSIGN(std::optional<MessageBytes> message, read_message(source_, next_, size, &cut_off_));
    if (!message) {
      ended_ = true;
      return std::optional<ArrowMessage>();
    }
    message_ = std::move(*message);
    next_ = message_.end;
    STELA_ASSIGN(ArrowMessage batch, batch_of(message_));
    return std::optional<ArrowMessage>(batch);
  }
  std::optional<uint64_t> continues_at() const override { return ended_ ? std::nullopt : std::optional(next_); }
  bool cut_off() const override { return cut_off_; }

 private:
  ByteSource& source_;
  MessageBytes schema_, message_;
  uint64_t next_ = 0;
  bool ended_ = false;
  bool cut_off_ = false;
};

class FileMessages final : public ArrowMessages {
 public:
  explicit FileMessages(ByteSource& source) : source_(source) {}

  Status start() {
    uint64_t size = source_.size();
    std::byte tail[10] = {};
    if (size < kStreamOffsetInFile + sizeof(tail)) return incomplete_file("its head");
    STELA_TRY(source_.read(size - sizeof(tail), tail));
    if (as_text({tail + 4, 6}) != kMagic) return incomplete_file("its record batches: the footer is not there yet");
    auto length = get_fixed<uint32_t>(tail);
    uint64_t room = size - sizeof(tail) - kStreamOffsetInFile;
    if (length == 0 || length > room || length > kArrowMetadataBytesMax) {
      return invalid("the footer of the Arrow file declares " + std::to_string(length) + " bytes");
    }
    limit_ = size - sizeof(tail) - length;
    footer_bytes_.resize(length);
    STELA_TRY(source_.read(limit_, footer_bytes_.span()));
    if (!verify<ipc::Footer>(footer_bytes_)) return invalid("the footer of the Arrow file is broken");
    footer_ = flatbuffers::GetRoot<ipc::Footer>(footer_bytes_.data());
    if (!is_aligned_vector(footer_->dictionaries()) || !is_aligned_vector(footer_->record_batches())) {
      return invalid("the footer of the Arrow file is broken");
    }
    if (footer_->schema() == nullptr) return invalid("the footer of the Arrow file has no schema");
    return {};
  }
  const ipc::Schema& schema() const override { return *footer_->schema(); }

  Result<std::optional<ArrowMessage>> next() override {
    size_t dictionaries = footer_->dictionaries() == nullptr ? 0 : footer_->dictionaries()->size();
    size_t batches = footer_->record_batches() == nullptr ? 0 : footer_->record_batches()->size();
    if (next_ >= dictionaries + batches) return std::optional<ArrowMessage>();
    bool dictionary = next_ < dictionaries;
    const ipc::Block& block = dictionary ? *footer_->dictionaries()->Get(static_cast<uint32_t>(next_))
                                         : *footer_->record_batches()->Get(static_cast<uint32_t>(next_ - dictionaries));
    ++next_;
    auto offset = static_cast<uint64_t>(block.offset());
    if (block.offset() < static_cast<int64_t>(kStreamOffsetInFile) || offset >= limit_) {
      return invalid("the footer of the Arrow file points outside of it");
    }
    STELA_ASSIGN(std::optional<MessageBytes> message, read_message(source_, offset, limit_));
    if (!message) return invalid("the footer of the Arrow file points at no message");
    message_ = std::move(*message);
    STELA_ASSIGN(ArrowMessage batch, batch_of(message_));
    if (batch.is_dictionary != dictionary || batch.body_bytes != static_cast<uint64_t>(block.body_length())) {
      return invalid("the footer of the Arrow file does not match its messages");
    }
    return std::optional<ArrowMessage>(batch);
  }
  std::optional<uint64_t> continues_at() const override { return std::nullopt; }
  bool cut_off() const override { return false; }

 private:
  ByteSource& source_;
  uint64_t limit_ = 0;  // where the footer begins
  Buffer footer_bytes_;
  const ipc::Footer* footer_ = nullptr;
  MessageBytes message_;
  size_t next_ = 0;
};

template <typename Messages>
Result<std::unique_ptr<ArrowMessages>> started(ByteSource& source, bool* cut_off) {
  auto messages = std::make_unique<Messages>(source);
  Status status = messages->start();
  *cut_off = messages->cut_off();
  STELA_TRY(status);
  return std::unique_ptr<ArrowMessages>(std::move(messages));
}

}  // namespace

Result<std::unique_ptr<ArrowMessages>> ArrowMessages::open(ByteSource& source, bool* cut_off) {
  bool ignored = false;
  if (cut_off == nullptr) cut_off = &ignored;
  *cut_off = true;
  std::byte first[6] = {};
  if (source.size() < sizeof(first)) return incomplete_file("its head");
  STELA_TRY(source.read(0, first));
  return as_text(first) == kMagic ? started<FileMessages>(source, cut_off) : started<StreamMessages>(source, cut_off);
}

}  // namespace stela::fsd
