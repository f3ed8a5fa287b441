#include "engine/format/section_source.h"

namespace stela::format {

Result<std::shared_ptr<const Buffer>> SectionSource::node(uint64_t offset, uint32_t bytes,
                                                          const SealPlace& place) const {
  if (bytes <= sizeof(uint32_t) || bytes > length_ || offset > length_ - bytes) {
    return damaged(name() + ": a block of its metadata lies outside of the file");
  }
  if (context_.cache != nullptr) {
    auto cached = context_.cache->find(file_.value, position(offset));
    if (cached != nullptr && cached->size() == bytes) return cached;
  }
  STELA_ASSIGN(auto reader, open());
  auto block = std::make_shared<Buffer>(bytes);
  STELA_TRY(reader->read_at(position(offset), block->span()));
  size_t payload = bytes - sizeof(uint32_t);
  auto crc = get_fixed<uint32_t>(block->data() + payload);
  if (!seal_matches(crc, scope(), place, block->span(0, payload))) {
    return damaged(name() + ": the checksum of a metadata block at offset " + std::to_string(position(offset)) +
                   " is wrong");
  }
  if (context_.cache != nullptr) context_.cache->insert(file_.value, position(offset), block);
  return std::shared_ptr<const Buffer>(std::move(block));
}

SectionSource SectionSource::uncached() const {
  SectionSource other = *this;
  other.context_.cache = nullptr;
  return other;
}

}  // namespace stela::format
