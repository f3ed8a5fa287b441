// .schema.json from hostile bytes: a refusal with a sentence, or columns of valid types whose names are all different.
#include <unordered_set>

#include "fsd/ingest/schema_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stela;
  if (size > 65536) return 0;
  auto fields = fsd::parse_schema({reinterpret_cast<const char*>(data), size});
  if (!fields.ok()) {
    STELA_CHECK(!fields.status().message().empty(), "refused without a sentence");
    return 0;
  }
  std::unordered_set<std::string> names;
  for (const Field& field : *fields) {
    STELA_CHECK(field.type.validate().ok() && DataType::parse(field.type.name()).value() == field.type,
                field.type.name());
    STELA_CHECK(names.insert(field.name).second && !field.name.empty(), field.name);
  }
  return 0;
}
