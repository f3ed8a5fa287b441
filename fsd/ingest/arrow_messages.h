// Arrow IPC files and streams as a sequence of messages, each checked before it is handed out.
#pragma once

#include <memory>
#include <optional>

#include "engine/base/buffer.h"
#include "fsd/ingest/ingest.h"

namespace stela::fsd::arrow_ipc {
struct Message;
struct Schema;
struct RecordBatch;
struct Footer;
}  // namespace stela::fsd::arrow_ipc

namespace stela::fsd {

inline constexpr uint32_t kArrowMetadataBytesMax = 64 << 20;

// FlatBuffers' verifier lets vectors of structs begin at any multiple of four; reading 64-bit members needs
// eight. Every real writer aligns them.
template <typename Vector>
bool is_aligned_vector(const Vector* vector) {
  return vector == nullptr || vector->size() == 0 || reinterpret_cast<uintptr_t>(vector->Data()) % 8 == 0;
}

// A record batch, or the part of a dictionary; its body lies in the source at [body_offset, + body_bytes).
struct ArrowMessage {
  const arrow_ipc::RecordBatch* batch = nullptr;  // valid until the next message is read
  uint64_t body_offset = 0;
  uint64_t body_bytes = 0;
  bool is_dictionary = false;
  bool is_delta = false;
  int64_t dictionary_id = 0;
};

// One thread at a time; the source must outlive it. Every offset and length it gives lies within the
// source; numbers within a batch are not checked here.
class ArrowMessages {
 public:
  // A file (by its first bytes, read through its footer) or a stream. kInvalid with "incomplete" when it
  // ends too early; *cut_off is set when it may be a stream of which the schema has not arrived whole.
  static Result<std::unique_ptr<ArrowMessages>> open(ByteSource& source, bool* cut_off = nullptr);
  virtual ~ArrowMessages() = default;
  virtual const arrow_ipc::Schema& schema() const = 0;
  // Dictionaries and record batches in the order in which they are to be read; nullopt at the end. Of a stream: the end
  // of what the source has now; kInvalid with "incomplete" when that is within a message, which is next again.
  virtual Result<std::optional<ArrowMessage>> next() = 0;
  // Where the next message of a stream begins, nullopt when no more may follow; a file is whole.
  virtual std::optional<uint64_t> continues_at() const = 0;
  // The last next() failed for a message that has not arrived whole.
  virtual bool cut_off() const = 0;
};

}  // namespace stela::fsd
