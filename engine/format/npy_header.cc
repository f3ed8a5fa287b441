// The header of .npy files: NumPy's format description, numpy/lib/format.py.
#include <cstdio>

#include "engine/format/fragment.h"

namespace stela::format {
namespace {

// Bytes that np.save keeps free so that the first extent can be rewritten in place.
constexpr size_t kFirstExtentDigits = 21;
constexpr size_t kAlignment = 64;

std::string numpy_dtype(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBool: return "|b1";
    case TypeKind::kInt8: return "|i1";
    case TypeKind::kUInt8: return "|u1";
    case TypeKind::kDate: return "<M8[D]";
    case TypeKind::kTimestamp: return std::string("<M8[") + unit_name(type.unit) + "]";
    case TypeKind::kTime:
    case TypeKind::kDuration: return std::string("<m8[") + unit_name(type.unit) + "]";
    default: break;
  }
  char letter = type.is_float() ? 'f' : type.is_signed_integer() ? 'i' : 'u';
  return std::string("<") + letter + std::to_string(type.element_width());
}

}  // namespace

std::string npy_header(const DataType& type, uint64_t rows) {
  std::string first = std::to_string(rows);
  std::string shape = "(" + first + ",";
  for (size_t i = 0; i < type.shape.size(); ++i) shape += (i == 0 ? " " : ", ") + std::to_string(type.shape[i]);
  shape += ")";
  std::string text = "{'descr': '" + numpy_dtype(type) + "', 'fortran_order': False, 'shape': " + shape + ", }";
  text.append(kFirstExtentDigits - first.size(), ' ');
  // NumPy adds a whole line of blanks where nothing is missing.
  size_t prefix = 10;  // magic, version, length
  text.append(kAlignment - (prefix + text.size() + 1) % kAlignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  put_fixed(header, static_cast<uint16_t>(text.size()));
  return header + text;
}

std::string data_file_name(FileId id, FileKind kind) {
  return "data/" + std::to_string(id.value / 1024) + "/" + std::to_string(id.value) +
         (kind == FileKind::kFlat ? ".flat" : ".frag");
}

}  // namespace stela::format
