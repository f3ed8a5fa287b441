#include "engine/catalog/keys.h"

namespace stela::catalog {
namespace {

constexpr size_t kPrefixBytes = 9;

std::string quoted(std::string_view text) {
  constexpr size_t kShownMax = 300;
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text.substr(0, kShownMax)) {
    auto byte = static_cast<uint8_t>(c);
    if (byte == '"' || byte == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(c);
    }
  }
  out += text.size() > kShownMax ? "\"..." : "\"";
  return out;
}

std::string number(uint64_t value) { return std::to_string(value); }

std::string describe(uint64_t node, KeyKind kind, std::string_view rest) {
  const std::string of = " of node " + number(node);
  const bool one = rest.size() == 8;
  const uint64_t first = rest.size() >= 8 ? get_ordered(rest.data()) : 0;
  const uint64_t second = rest.size() >= 16 ? get_ordered(rest.data() + 8) : 0;
  switch (kind) {
    case KeyKind::kName: return "name " + quoted(rest) + " in node " + number(node);
    case KeyKind::kNode:
      if (rest.empty()) return "node " + number(node);
      break;
    case KeyKind::kVersion:
      if (one) return "version " + number(~first) + of;
      break;
    case KeyKind::kTag: return "tag " + quoted(rest) + of;
    case KeyKind::kColumn:
      if (one) return "column " + number(first) + of;
      break;
    case KeyKind::kColumnName: return "column name " + quoted(rest) + of;
    case KeyKind::kFragment:
      if (rest.size() == 16) return "fragment of group " + number(first) + " at row " + number(second) + of;
      break;
    case KeyKind::kPatch:
      if (rest.size() == 16) return "patch of column " + number(first) + " at row " + number(second) + of;
      break;
    case KeyKind::kDeleted:
      if (one) return "deleted rows, block " + number(first) + of;
      break;
    case KeyKind::kIndex: return "index " + quoted(rest) + of;
    case KeyKind::kReceipt: return "receipt " + quoted(rest) + of;
    case KeyKind::kFile:
      if (one) return "file " + number(first);
      break;
    case KeyKind::kRemoval:
      if (one) return "file to be removed " + number(first);
      break;
    case KeyKind::kFold:
      if (one) return "folded column " + number(first) + of;
      break;
    case KeyKind::kViewInfo: return "remembered view " + quoted(rest) + of;
  }
  return "key of kind " + number(static_cast<uint8_t>(kind)) + " " + quoted(rest) + of;
}

}  // namespace

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

std::string catalog_key_describe(std::string_view key) {
  if (key.size() < kPrefixBytes) return "key " + quoted(key);
  return describe(get_ordered(key.data()), static_cast<KeyKind>(key[8]), key.substr(kPrefixBytes));
}

}  // namespace stela::catalog
