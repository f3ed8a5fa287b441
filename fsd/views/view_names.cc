// Column names as file names; the rules are in docs/views.md, section "Names".
#include <cstdio>

#include "engine/base/coding.h"
#include "fsd/views/view.h"

namespace stela::fsd {
namespace {

constexpr size_t kNameBytesMax = 255;
constexpr std::string_view kLongestEnding = ".valid.npy";
constexpr std::string_view kAmbiguousEnding = ".valid";  // of a stem: "a.valid" + ".npy" is a's validity
constexpr size_t kKeptBytesMax = 200;
constexpr size_t kHashDigits = 16;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_escape_at(std::string_view text, size_t at) {
  return at + 2 < text.size() && text[at] == '%' && hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0;
}

void append_escaped(std::string& out, char c) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  auto byte = static_cast<unsigned char>(c);
  out.push_back('%');
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 15]);
}

bool must_escape(std::string_view name, size_t at) {
  auto byte = static_cast<unsigned char>(name[at]);
  if (byte < 0x20 || byte == 0x7f || byte == '/') return true;
  if (byte == '%') return is_escape_at(name, at);
  if (byte != '.') return false;
  return at == 0 || (name.ends_with(kAmbiguousEnding) && at == name.size() - kAmbiguousEnding.size());
}

bool is_utf8_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The most bytes, at most `limit`, that end between characters and outside a %XX.
size_t cut_length(std::string_view stem, size_t limit) {
  size_t end = limit;
  // A character has at most three continuation bytes; more of them are no UTF-8 and may be cut anywhere.
  for (int i = 0; i < 3 && end > 0 && is_utf8_continuation(stem[end]); ++i) --end;
  if (is_utf8_continuation(stem[end])) end = limit;
  for (size_t back = 1; back <= 2; ++back) {
    if (end >= back && is_escape_at(stem, end - back)) return end - back;
  }
  return end;
}

std::string shortened(std::string_view name, std::string_view stem) {
  char hash[kHashDigits + 1];
  std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(hash64(name)));
  std::string out(stem.substr(0, stem.size() > kKeptBytesMax ? cut_length(stem, kKeptBytesMax) : stem.size()));
  out.push_back('~');
  out.append(hash, kHashDigits);
  return out;
}

bool looks_shortened(std::string_view stem) {
  if (stem.size() <= kHashDigits || stem[stem.size() - kHashDigits - 1] != '~') return false;
  for (char c : stem.substr(stem.size() - kHashDigits)) {
    if (hex_digit(c) < 0) return false;
  }
  return true;
}

}  // namespace

std::string encode_column_file_stem(std::string_view column_name) {
  std::string stem;
  stem.reserve(column_name.size());
  for (size_t i = 0; i < column_name.size(); ++i) {
    if (must_escape(column_name, i)) {
      append_escaped(stem, column_name[i]);
    } else {
      stem.push_back(column_name[i]);
    }
  }
  // The nameless column would otherwise be the hidden file ".npy".
  if (stem.empty() || stem.size() + kLongestEnding.size() > kNameBytesMax) return shortened(column_name, stem);
  return stem;
}

std::string decode_column_file_stem(std::string_view stem) {
  std::string name;
  name.reserve(stem.size());
  for (size_t i = 0; i < stem.size(); ++i) {
    if (is_escape_at(stem, i)) {
      name.push_back(static_cast<char>(hex_digit(stem[i + 1]) * 16 + hex_digit(stem[i + 2])));
      i += 2;
    } else {
      name.push_back(stem[i]);
    }
  }
  return name;
}

Result<ColumnInfo> find_column_by_stem(const Snapshot& snapshot, std::string_view stem) {
  auto column = snapshot.column(decode_column_file_stem(stem));
  if (column.ok() || column.status().code() != Code::kNotFound || !looks_shortened(stem)) return column;
  std::optional<ColumnInfo> found;
  STELA_TRY(snapshot.for_each_column([&](const ColumnInfo& candidate) {
    if (encode_column_file_stem(candidate.name) == stem) found = candidate;
    return !found.has_value();
  }));
  if (!found.has_value()) return column;
  return *std::move(found);
}

}  // namespace stela::fsd
