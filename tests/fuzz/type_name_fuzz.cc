// Names and binary forms of types: what parses comes back the same from its own name and bytes.
#include <cstdlib>

#include "engine/types/data_type.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  stela::Result<stela::DataType> parsed = stela::DataType::parse(text);
  if (parsed.ok()) {
    require(parsed->validate().ok());
    stela::Result<stela::DataType> again = stela::DataType::parse(parsed->name());
    require(again.ok() && *again == *parsed);
    std::string bytes;
    parsed->encode(bytes);
    stela::Decoder in{std::string_view(bytes)};
    stela::DataType back;
    require(stela::DataType::decode(in, &back) && in.at_end() && back == *parsed);
  } else {
    require(!parsed.status().message().empty());
  }
  stela::Decoder in(text);
  stela::DataType decoded;
  if (!stela::DataType::decode(in, &decoded)) return 0;
  stela::Result<stela::DataType> named = stela::DataType::parse(decoded.name());
  require(named.ok() && *named == decoded);
  return 0;
}
