#include "engine/store/appender.h"

namespace stela::store {

namespace {
format::FragmentOptions prepared_options(const Core& core, bool may_be_flat) {
  format::FragmentOptions options = core.fragment_options();
  if (!may_be_flat) options.flat_bytes_min = UINT64_MAX;
  return options;
}
}  // namespace

PreparedFragment::PreparedFragment(Core& core, std::vector<format::ColumnSpec> columns, bool may_be_flat)
    : core_(core),
      writer_(
          core.env->files(), [files = core.files.get()] { return files->allocate(); },
          prepared_options(core, may_be_flat)),
      columns_(std::move(columns)) {}

Status PreparedFragment::append(std::span<const ColumnView> columns) {
  if (!begun_) {
    STELA_TRY(writer_.begin_section(columns_));
    begun_ = true;
  }
  return writer_.append(columns);
}

Status PreparedFragment::finish() {
  STELA_ASSIGN(section_, writer_.end_section());
  return core_.durable(writer_.finish());
}

uint64_t PreparedFragment::bytes() const {
  uint64_t total = 0;
  for (const format::DataFile& file : writer_.files()) total += file.bytes;
  return total;
}

void PreparedFragment::add_entries(Builder& builder, NodeId dataset, const std::vector<GroupId>& groups,
                                   uint64_t first_row) const {
  for (GroupId group : groups) add_fragment(builder, dataset, group, first_row, section_.rows, 0);
  add_file_entries(builder);
}

void PreparedFragment::add_fragment(Builder& builder, NodeId dataset, GroupId group, uint64_t first_row, uint64_t rows,
                                    uint64_t skip) const {
  FragmentEntry entry{writer_.file_id(), section_.offset, section_.length, rows, bytes(), section_.flats, skip};
  builder.put(catalog::key(dataset, catalog::KeyKind::kFragment, group.value, first_row), entry.encode());
}

void PreparedFragment::add_file_entries(Builder& builder) const {
  for (const format::DataFile& file : writer_.files()) {
    builder.put(catalog::key(NodeId{0}, catalog::KeyKind::kFile, file.id.value),
                FileEntry{file.kind, file.bytes}.encode());
  }
}

void PreparedFragment::settle() const {
  for (const format::DataFile& file : writer_.files()) {
    core_.files->settle(file.id);
    core_.files->trust_written(file);
    core_.counters.data_files.fetch_add(1, std::memory_order_relaxed);
    core_.counters.data_bytes.fetch_add(file.bytes, std::memory_order_relaxed);
  }
}

void PreparedFragment::remove() const {
  for (const format::DataFile& file : writer_.files()) {
    // What is left after a failure is unsettled, and goes at the next opening.
    if (core_.env->files().remove(format::data_file_name(file.id, file.kind)).ok()) core_.files->settle(file.id);
  }
}

uint64_t inline_bytes(const ColumnView& column) {
  uint64_t bytes = 24 + column.value_bytes();
  if (column.validity != nullptr) bytes += column.rows / 8 + 1;
  if (column.type->is_variable()) bytes += 3 * column.rows;
  return bytes;
}

Status check_values(const StoreOptions& options, const std::string& name, bool nullable, const ColumnView& column) {
  if (!nullable && column.null_count() > 0) {
    return invalid("column '" + name + "' does not allow nulls, but the new rows have " +
                   std::to_string(column.null_count()));
  }
  if (!column.type->is_variable()) return {};
  for (uint64_t row = 0; row < column.rows; ++row) {
    uint64_t bytes = column.offsets[row + 1] - column.offsets[row];
    if (bytes > options.field_bytes_max) {
      return {Code::kLimit, "a value of column '" + name + "' has " + std::to_string(bytes) +
                                " bytes, more than the limit of " + std::to_string(options.field_bytes_max) +
                                " (field_bytes_max)"};
    }
  }
  return {};
}

}  // namespace stela::store
