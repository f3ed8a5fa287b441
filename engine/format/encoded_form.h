// What a page's encoding holds, for operators that work on it without decoding every value: a predicate asks a constant
// once, the values of a dictionary and then its codes, each run, packed words within their frame, text by its symbols.
//
// All are views of the page's bytes. Their sizes were checked against the page's; what is read through them (a code, a
// run, a position) is untrusted and checked by whoever uses it, or by the readers, which say kDamaged.
#pragma once

#include <variant>

#include "engine/format/inner_column.h"
#include "engine/format/packed_vectors.h"
#include "engine/format/symbol_table.h"

namespace stela::format {

// Every row has this value.
struct ConstantForm {
  ByteSpan value;
};

// Row i has the value number codes[i] (uint16).
struct CodesForm {
  InnerColumn codes, values;
};

// Runs end with each vector of 1,024 rows; the runs of vector i are those from first_run(i) to before first_run(i + 1).
struct RunsForm {
  uint64_t rows = 0;
  const std::byte* starts = nullptr;
  InnerColumn lengths, values;  // of runs; lengths are uint16
  uint64_t runs() const { return lengths.rows(); }
  uint64_t first_run(uint64_t vector) const {
    return vector >= vectors_of(rows) ? runs() : get_fixed<uint32_t>(starts + vector * sizeof(uint32_t));
  }
};

// Words of the type's width, above a frame of reference each 1,024.
struct PackedForm {
  ByteSpan bytes;
  uint64_t rows = 0;
  PackedHeads heads = PackedHeads::kPlain;
  // T: the unsigned word of the type's width.
  template <typename T>
  Result<PackedReader<T>> reader() const {
    return PackedReader<T>::open(bytes, rows, heads);
  }
};

// Text as codes of symbols, one value behind the other; where those of each block of 2^shift rows begin is known.
struct SymbolsForm {
  unsigned shift = 0;
  InnerColumn lengths;  // of values, decoded: uint32
  SymbolReader symbols;
  const std::byte* starts = nullptr;
  ByteSpan codes;
  // From the first row of a block on.
  Result<ByteSpan> codes_of(uint64_t block) const {
    const auto at = get_fixed<uint32_t>(starts + block * sizeof(uint32_t));
    if (at > codes.size()) return damaged("the index of an FSST page leaves its codes");
    return codes.subspan(at);
  }
};

// Values that are computed from those of columns inside: halves, bytes, integers. For whoever shows a page, not for
// operators.
struct PartsForm {
  std::vector<InnerColumn> parts;
};

// Nothing: the encoding has no form that says more than its values.
struct EncodedForm {
  std::variant<std::monostate, ConstantForm, CodesForm, RunsForm, PackedForm, SymbolsForm, PartsForm> as;
};

// A page with its bytes, which it keeps.
struct EncodedPage {
  const Encoding* encoding = nullptr;  // null: every row is null
  uint64_t first_row = 0, rows = 0;    // of the fragment
  ByteSpan validity;                   // one bit a row, least significant first; empty: no nulls, or all
  EncodedForm form;
  std::shared_ptr<const void> holder;
};

}  // namespace stela::format
