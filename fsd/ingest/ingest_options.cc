#include "fsd/ingest/ingest.h"
#include "fsd/ingest/utf8_text.h"

namespace stela::fsd {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// %XX stands for any byte.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

Status bad_value(const std::string& key, const std::string& value, const char* wanted) {
  return invalid("option " + key + "=" + quoted_for_message(value) + ": " + wanted);
}

Status set_delimiter(const std::string& value, IngestOptions& options) {
  if (value.size() != 1 || static_cast<unsigned char>(value[0]) >= 0x80 || value[0] == '\0' || value[0] == '"' ||
      value[0] == '\n' || value[0] == '\r') {
    return bad_value("delimiter", value, "one ASCII character is wanted, not a quote or a line end (a comma is %2C)");
  }
  options.delimiter = value[0];
  return {};
}

Status set_option(const std::string& key, const std::string& value, IngestOptions& options) {
  if (key == "null") {
    options.null_texts.push_back(value);
    return {};
  }
  if (key == "delimiter") return set_delimiter(value, options);
  if (key == "header") {
    if (value != "yes" && value != "no") return bad_value(key, value, "yes or no is wanted");
    options.header = value == "yes";
    return {};
  }
  if (key == "missing") {
    if (value != "null" && value != "error") return bad_value(key, value, "null or error is wanted");
    options.missing_null = value == "null";
    return {};
  }
  if (key == "extra") {
    if (value != "ignore" && value != "error") return bad_value(key, value, "ignore or error is wanted");
    options.extra_ignore = value == "ignore";
    return {};
  }
  if (key == "on-error") {
    if (value != "skip" && value != "stop") return bad_value(key, value, "stop or skip is wanted");
    options.skip_errors = value == "skip";
    return {};
  }
  return invalid("unknown option " + quoted_for_message(key) +
                 "; there are null, delimiter, header, missing, extra and on-error");
}

}  // namespace

Result<IngestOptions> parse_ingest_options(std::string_view folder_name, const IngestOptions& base) {
  IngestOptions options = base;
  while (true) {
    size_t comma = std::min(folder_name.find(','), folder_name.size());
    std::string_view one = folder_name.substr(0, comma);
    size_t equals = one.find('=');
    if (equals == std::string_view::npos) {
      return invalid("option " + quoted_for_message(one) + " has no value; options are written key=value,key=value");
    }
    std::string key = percent_decoded(one.substr(0, equals)), value = percent_decoded(one.substr(equals + 1));
    STELA_TRY(set_option(key, value, options));
    if (comma == folder_name.size()) return options;
    folder_name.remove_prefix(comma + 1);
  }
}

Status skip_is_for_text(const std::string& file_name) {
  return unsupported(file_name +
                     ": on-error=skip is for text files (.csv, .tsv, .jsonl); this one is taken whole or not");
}

}  // namespace stela::fsd
