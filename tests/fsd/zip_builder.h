// Zip files for tests, true ones and ones that lie.
#pragma once

#include <zlib.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/base/status.h"

namespace stela::fsd {

// What a member's two headers say; a test may change it before it is written.
struct ZipFacts {
  std::string name;
  uint16_t method = 0;
  uint16_t flags = 0;
  uint32_t crc = 0;
  uint32_t packed_bytes = 0;
  uint32_t bytes = 0;
  uint32_t local_offset = 0;
  bool zip64 = false;  // sizes in an extra field, as numpy's local headers have them
};

inline std::string little(uint64_t value, int width) {
  return std::string(reinterpret_cast<const char*>(&value), static_cast<size_t>(width));
}

inline std::string deflated(const std::string& bytes) {
  z_stream stream = {};
  STELA_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflateInit2");
  std::string out(bytes.size() + 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  STELA_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate");
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

class ZipBuilder {
 public:
  ZipBuilder& add(const std::string& name, const std::string& bytes, bool deflate = false,
                  const std::function<void(ZipFacts&)>& change = {}) {
    std::string packed = deflate ? deflated(bytes) : bytes;
    ZipFacts facts;
    facts.name = name;
    facts.method = deflate ? 8 : 0;
    facts.crc = static_cast<uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
    facts.packed_bytes = static_cast<uint32_t>(packed.size());
    facts.bytes = static_cast<uint32_t>(bytes.size());
    facts.local_offset = static_cast<uint32_t>(members_.size());
    if (change) change(facts);
    members_ += "PK\3\4" + common(facts) + little(facts.name.size(), 2) + little(0, 2) + facts.name + packed;
    directory_.push_back(facts);
    return *this;
  }
  std::string finish(uint16_t entries_more = 0) const {
    std::string directory;
    for (const ZipFacts& facts : directory_) directory += entry(facts);
    std::string count = little(directory_.size() + entries_more, 2);
    return members_ + directory + std::string("PK\5\6\0\0\0\0", 8) + count + count + little(directory.size(), 4) +
           little(members_.size(), 4) + little(0, 2);
  }

 private:
  static std::string common(const ZipFacts& facts) {
    return little(20, 2) + little(facts.flags, 2) + little(facts.method, 2) + little(0, 4) + little(facts.crc, 4) +
           little(facts.packed_bytes, 4) + little(facts.bytes, 4);
  }
  static std::string entry(const ZipFacts& facts) {
    std::string sizes = facts.zip64 ? little(0xffffffffffffffffu, 8) : common(facts).substr(14);
    std::string extra;
    if (facts.zip64) extra = little(1, 2) + little(16, 2) + little(facts.bytes, 8) + little(facts.packed_bytes, 8);
    return "PK\1\2" + little(20, 2) + common(facts).substr(0, 14) + sizes + little(facts.name.size(), 2) +
           little(extra.size(), 2) + std::string(2 + 2 + 2 + 4, '\0') + little(facts.local_offset, 4) + facts.name +
           extra;
  }

  std::string members_;
  std::vector<ZipFacts> directory_;
};

// What np.save writes of a one-dimensional array.
template <typename T>
std::string npy_of(const std::string& descr, const std::vector<T>& values) {
  std::string dict =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }";
  dict.resize(117, ' ');
  dict += '\n';
  return std::string("\x93NUMPY\1\0", 8) + little(dict.size(), 2) + dict +
         std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

}  // namespace stela::fsd
