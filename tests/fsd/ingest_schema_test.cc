#include <gtest/gtest.h>

#include "fsd/ingest/schema_text.h"

namespace stela::fsd {
namespace {

std::string parsed(std::string_view text) {
  Result<std::vector<Field>> fields = parse_schema(text);
  if (!fields.ok()) return "error: " + fields.status().message();
  std::string out;
  for (const Field& field : *fields) {
    out += (out.empty() ? "" : "; ") + field.name + ":" + field.type.name() + (field.nullable ? "" : " not null");
  }
  return out;
}

TEST(SchemaText, every_type_of_the_grammar) {
  for (const char* type : {"bool",
                           "int8",
                           "int64",
                           "uint8",
                           "uint64",
                           "float16",
                           "float64",
                           "date",
                           "timestamp[ns]",
                           "timestamp[us, UTC]",
                           "timestamp[ms, Europe/Berlin]",
                           "timestamp[s, +02:00]",
                           "time[us]",
                           "duration[ns]",
                           "decimal128(38,10)",
                           "utf8",
                           "binary",
                           "fixed_binary(16)",
                           "float32[384]",
                           "uint8[3,32,32]"}) {
    EXPECT_EQ(parsed(std::string(R"({"columns": [{"name": "x", "type": ")") + type + R"("}]})"),
              std::string("x:") + type);
  }
}

TEST(SchemaText, what_a_dataset_writes_is_taken) {
  EXPECT_EQ(parsed("{\n  \"version\": 7,\n  \"rows\": 12,\n  \"columns\": [\n"
                   R"(    {"name":"a","type":"int64","nullable":false,"file":"a.npy"},)"
                   "\n"
                   R"(    {"name":"größe/1","type":"utf8","nullable":true,"file":"gr%C3%B6%C3%9Fe%2F1.arrow"})"
                   "\n  ]\n}\n"),
            "a:int64 not null; größe/1:utf8");
}

struct Case {
  const char* name;
  std::string text;
  std::string sentence;
};
class SchemaTextRefuses : public testing::TestWithParam<Case> {};
TEST_P(SchemaTextRefuses, with_a_sentence) {
  std::string message = parsed(GetParam().text);
  EXPECT_EQ(message.substr(0, 7 + GetParam().sentence.size()), "error: " + GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, SchemaTextRefuses,
    testing::Values(Case{"empty", "", "the text is empty"}, Case{"no_json", "hello", "the text is not JSON: "},
                    Case{"cut", R"({"columns": [{"name": "x")", "the text is not JSON: "},
                    Case{"array", "[]", "an object is wanted"}, Case{"no_columns", "{}", "it has no \"columns\""},
                    Case{"columns_of_another_kind", R"({"columns": 5})", "\"columns\" is wanted as an array of objects"},
                    Case{"none", R"({"columns": []})", "no columns are stated"},
                    Case{"column_of_another_kind", R"({"columns": ["x"]})", "column 1: an object is wanted"},
                    Case{"no_name", R"({"columns": [{"type": "int8"}]})", "column 1: it has no \"name\""},
                    Case{"no_type", R"({"columns": [{"name": "x"}]})", "column 1: 'x': it has no \"type\""},
                    Case{"empty_name", R"({"columns": [{"name": "", "type": "int8"}]})", "column 1: its name is empty"},
                    Case{"bad_type", R"({"columns": [{"name": "a", "type": "int8"}, {"name": "x", "type": "int46"}]})",
                         "column 2: 'x': "},
                    Case{"bad_decimal", R"j({"columns": [{"name": "x", "type": "decimal128(39,0)"}]})j", "column 1: 'x': "},
                    Case{"bad_shape", R"({"columns": [{"name": "x", "type": "float32[0]"}]})", "column 1: 'x': "},
                    Case{"list", R"({"columns": [{"name": "x", "type": "list"}]})", "column 1: 'x': "},
                    Case{"nullable", R"({"columns": [{"name": "x", "type": "int8", "nullable": 1}]})",
                         "column 1: 'x': \"nullable\" is wanted as true or false"},
                    Case{"unknown_key", R"({"columns": [{"name": "x", "type": "int8", "unit": "s"}]})",
                         "column 1: 'x': the key 'unit' is not known"},
                    Case{"unknown_top", R"({"fields": []})", "the key 'fields' is not known"},
                    Case{"twice", R"({"columns": [{"name": "x", "type": "int8"}, {"name": "x", "type": "int8"}]})",
                         "column 2: the name 'x' stands twice"},
                    Case{"doubled_key", R"({"columns": [{"name": "x", "type": "int8", "type": "int16"}]})",
                         "column 1: the key 'type' stands twice"},
                    Case{"deep", std::string(10'000, '[') + std::string(10'000, ']'), "the JSON is nested too deeply"},
                    Case{"bad_utf8", "{\"columns\": [{\"name\": \"\xff\"}]}", "the text is not valid UTF-8"}),
    [](const testing::TestParamInfo<Case>& one) {
  return one.param.name; });

}  // namespace
}  // namespace stela::fsd
