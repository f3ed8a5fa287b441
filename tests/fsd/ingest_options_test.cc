#include <gtest/gtest.h>

#include "fsd/ingest/ingest.h"

namespace stela::fsd {
namespace {

TEST(IngestOptions, reads_a_folder_name) {
  IngestOptions base;
  base.memory_bytes = 7;
  auto options = parse_ingest_options("null=NA,null=a%2Cb,delimiter=%2C,header=no,missing=null,extra=ignore", base);
  ASSERT_TRUE(options.ok()) << options.status().message();
  EXPECT_EQ(options->null_texts, (std::vector<std::string>{"NA", "a,b"}));
  EXPECT_EQ(options->delimiter, ',');
  EXPECT_FALSE(options->header);
  EXPECT_TRUE(options->missing_null);
  EXPECT_TRUE(options->extra_ignore);
  EXPECT_EQ(options->memory_bytes, 7u);
  EXPECT_EQ(parse_ingest_options("delimiter=%09", {})->delimiter, '\t');
  EXPECT_TRUE(parse_ingest_options("header=yes,missing=error,extra=error,on-error=stop", {})->header);
}

TEST(IngestOptions, refuses_what_it_does_not_know) {
  struct {
    const char* text;
    const char* part;
  } cases[] = {{"nulls=NA", "unknown option 'nulls'"},
               {"null", "has no value"},
               {"", "has no value"},
               {"header=maybe", "option header='maybe'"},
               {"delimiter=ab", "option delimiter="},
               {"delimiter=", "option delimiter="},
               {"delimiter=%22", "option delimiter="},
               {"missing=zero", "option missing="},
               {"extra=keep", "option extra="},
               {"on-error=maybe", "option on-error="},
               {"null=NA,", "has no value"}};
  for (const auto& one : cases) {
    auto options = parse_ingest_options(one.text, {});
    EXPECT_EQ(options.status().code(), Code::kInvalid) << one.text;
    EXPECT_NE(options.status().message().find(one.part), std::string::npos) << options.status().message();
  }
  EXPECT_TRUE(parse_ingest_options("on-error=skip", {})->skip_errors);
  EXPECT_FALSE(parse_ingest_options("on-error=stop", {})->skip_errors);
}

TEST(IngestFormats, are_found_by_extension) {
  EXPECT_STREQ(find_row_format(".csv")->extension(), ".csv");
  EXPECT_STREQ(find_row_format(".tsv")->extension(), ".tsv");
  for (const char* taken : {".npy", ".npz", ".jsonl", ".ndjson", ".arrow", ".feather"}) EXPECT_STREQ(find_row_format(taken)->extension(), taken);
  EXPECT_EQ(find_row_format(".parquet"), nullptr);
  EXPECT_STREQ(find_column_format(".npy")->extension(), ".npy");
  EXPECT_STREQ(find_column_format(".arrow")->extension(), ".arrow");
  EXPECT_EQ(find_column_format(".csv"), nullptr);
  for (const char* known : {".json", ".parquet", ".xlsx", ".gz"}) {
    auto status = unsupported_row_format(known);
    ASSERT_TRUE(status.has_value()) << known;
    EXPECT_EQ(status->code(), Code::kUnsupported);
  }
  EXPECT_FALSE(unsupported_row_format(".txt").has_value());
}

}  // namespace
}  // namespace stela::fsd
