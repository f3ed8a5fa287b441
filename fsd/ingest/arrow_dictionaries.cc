#include "fsd/ingest/arrow_dictionaries.h"

#include "fsd/ingest/arrow_batch.h"

namespace stela::fsd {

ArrowDictionaries::ArrowDictionaries(const std::vector<ArrowField>& fields, uint64_t bytes_max)
    : bytes_max_(bytes_max) {
  for (const ArrowField& field : fields) {
    if (!field.dictionary) continue;
    auto [place, fresh] = by_id_.try_emplace(field.dictionary->id);
    if (fresh) {
      place->second.field = &field;
      place->second.values = ColumnData(field.type);
    }
    contradictory_ |= place->second.field->type != field.type || place->second.field->storage != field.storage;
  }
}

Status ArrowDictionaries::take(ByteSource& source, const ArrowMessage& message) {
  if (contradictory_) return invalid("the Arrow file has one dictionary for columns of different types");
  auto found = by_id_.find(message.dictionary_id);
  if (found == by_id_.end()) return invalid("the Arrow file has a dictionary that its columns do not use");
  Dictionary& dictionary = found->second;
  STELA_ASSIGN(ArrowBody body, ArrowBody::open(source, message, std::min(bytes_max_, kArrowBodyBytesMax)));
  ArrowBody::Cursor cursor;
  STELA_ASSIGN(ArrowBatch batch, ArrowBatch::bind(body, *dictionary.field, nullptr, &cursor));
  STELA_TRY(body.check_used(cursor));
  if (!message.is_delta) dictionary.values.clear();
  dictionary.seen = true;
  uint64_t others = 0;
  for (const auto& [id, other] : by_id_) others += &other == &dictionary ? 0 : other.values.memory_bytes();
  ColumnData rows(dictionary.field->type);
  while (true) {
    STELA_TRY(batch.next(rows));
    if (rows.rows() == 0) return {};
    dictionary.values.append(rows.view());
    if (others + dictionary.values.memory_bytes() > bytes_max_) {
      return {Code::kLimit, "the dictionary of the Arrow file is over the limit of " + std::to_string(bytes_max_) +
                                " bytes; write the column without a dictionary"};
    }
  }
}

Result<const ColumnData*> ArrowDictionaries::find(const ArrowField& field, uint64_t rows) const {
  if (!field.dictionary) return static_cast<const ColumnData*>(nullptr);
  if (contradictory_) return invalid("the Arrow file has one dictionary for columns of different types");
  const Dictionary& dictionary = by_id_.at(field.dictionary->id);
  if (!dictionary.seen && rows > 0) return invalid("the Arrow file has rows before their dictionary");
  return &dictionary.values;
}

}  // namespace stela::fsd
