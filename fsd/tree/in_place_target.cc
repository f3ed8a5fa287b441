#include "fsd/tree/in_place_target.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "engine/format/fragment.h"
#include "fsd/ingest/validity.h"
#include "fsd/tree/context.h"

namespace stela::fsd {
namespace {

// Rows whose bytes differ, ascending, each once.
class ChangedRows {
 public:
  ChangedRows(uint64_t header_bytes, uint64_t width) : header_bytes_(header_bytes), width_(width) {}

  // `visit` gets the rows of one stretch that no earlier one had.
  Status add(uint64_t offset, ByteSpan before, ByteSpan now,
             const std::function<Status(std::span<const uint64_t>)>& visit) {
    rows_.clear();
    uint64_t end = offset + now.size();
    uint64_t at = std::max(offset, header_bytes_);
    while (at < end) {
      uint64_t row = (at - header_bytes_) / width_;
      uint64_t stop = std::min(end, header_bytes_ + (row + 1) * width_);
      if (row >= next_ && std::memcmp(before.data() + (at - offset), now.data() + (at - offset), stop - at) != 0) {
        rows_.push_back(row);
        next_ = row + 1;
      }
      at = stop;
    }
    return rows_.empty() ? Status() : visit(rows_);
  }

 private:
  const uint64_t header_bytes_, width_;
  uint64_t next_ = 0;
  std::vector<uint64_t> rows_;
};

bool is_not_a_time(const std::byte* value) { return get_fixed<int64_t>(value) == std::numeric_limits<int64_t>::min(); }

class InPlaceTarget final : public DraftTarget {
 public:
  InPlaceTarget(TreeContext& context, NodeId dataset, std::string file_name, const ColumnFile& column, Overlay& overlay,
                uint64_t header_bytes, CommitInfo info)
      : context_(context),
        dataset_(dataset),
        file_name_(std::move(file_name)),
        column_(column.column()),
        form_(column.form()),
        validity_(std::string_view(form_.extension()) == ".valid.npy"),
        overlay_(overlay),
        header_bytes_(header_bytes),
        base_{column.version(), {}, {}},
        info_(std::move(info)) {}

  Result<std::optional<VersionInfo>> commit(ByteSource& source, bool final) override;
  bool is_drained() const override { return true; }
  void restart() override {}

 private:
  Status write_changes(UpdateWriter& writer, const Snapshot& before);
  Result<ColumnData> values_at(std::span<const uint64_t> rows);
  Result<ColumnData> with_nulls_at(const Snapshot& before, std::span<const uint64_t> rows);
  Status rest_on(const Table& table, const VersionInfo& version, bool alone);

  TreeContext& context_;
  const NodeId dataset_;
  const std::string file_name_;
  const ColumnInfo column_;  // as it was opened
  const ViewForm& form_;
  const bool validity_;
  Overlay& overlay_;
  const uint64_t header_bytes_;
  UpdateBase base_;
  const CommitInfo info_;
};

// What the file now has in those rows, as the engine keeps it.
Result<ColumnData> InPlaceTarget::values_at(std::span<const uint64_t> rows) {
  const DataType& type = column_.type;
  uint64_t width = type.value_width();
  Buffer values(rows.size() * width);
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    STELA_TRY(overlay_.read(header_bytes_ + rows[i] * width, values.span().subspan(i * width, (end - i) * width)));
    i = end;
  }
  PooledVector<uint8_t> valid;
  if (type.is_temporal()) {  // NaT is null in every .npy
    valid.assign((rows.size() + 7) / 8, 0);
    for (size_t i = 0; i < rows.size(); ++i) bit_set(valid.data(), i, !is_not_a_time(values.data() + i * width));
  }
  if (type.kind == TypeKind::kBool) {
    for (size_t i = 0; i < values.size(); ++i) values.data()[i] = std::byte{values.data()[i] != std::byte{0}};
  }
  return ColumnData::adopt(type, rows.size(), std::move(values), {}, std::move(valid));
}

// The values as they are, with the nulls that the file now says.
Result<ColumnData> InPlaceTarget::with_nulls_at(const Snapshot& before, std::span<const uint64_t> rows) {
  STELA_ASSIGN(ColumnInfo column, before.column(column_.id));
  ColumnData held(column.type);
  STELA_TRY(before.read_rows(column, rows, held));
  ColumnData changed(column.type);
  Buffer valid;
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    valid.resize(end - i);
    STELA_TRY(overlay_.read(header_bytes_ + rows[i], valid.span()));
    STELA_ASSIGN(ColumnData part, with_validity(held.view().slice(i, end - i), valid.span(), rows[i], file_name_));
    changed.append(part.view());
    i = end;
  }
  return changed;
}

Status InPlaceTarget::write_changes(UpdateWriter& writer, const Snapshot& before) {
  ChangedRows changed(header_bytes_, validity_ ? 1 : column_.type.value_width());
  auto take = [&](std::span<const uint64_t> rows) -> Status {
    STELA_ASSIGN(ColumnData values, validity_ ? with_nulls_at(before, rows) : values_at(rows));
    return writer.write(rows, values.view());
  };
  return overlay_.for_each_stretch(
      [&](uint64_t offset, ByteSpan was, ByteSpan now) { return changed.add(offset, was, now, take); });
}

// The next changes are measured from here. Where others committed too, their cells are not in this file, and may be
// written back with a page of it as they were: what the writer saw stays its base.
Status InPlaceTarget::rest_on(const Table& table, const VersionInfo& version, bool alone) {
  if (!alone) {
    base_.own.push_back(version.sequence);
    base_.own_newest = version.number;
    overlay_.committed(nullptr);
    return {};
  }
  STELA_ASSIGN(Snapshot now, table.at(version.number));
  STELA_ASSIGN(ColumnInfo column, now.column(column_.id));
  STELA_ASSIGN(std::unique_ptr<View> below, form_.open(now, column, std::nullopt));
  base_ = {version.number, {}, {}};
  overlay_.committed(std::move(below));
  return {};
}

Result<std::optional<VersionInfo>> InPlaceTarget::commit(ByteSource&, bool) {
  auto committed = [&]() -> Result<std::optional<VersionInfo>> {
    STELA_ASSIGN(Table table, context_.store.table(dataset_));
    STELA_ASSIGN(std::unique_ptr<UpdateWriter> writer, table.update_writer(column_.id, base_));
    STELA_ASSIGN(Snapshot before, table.at(base_.own_newest.value != 0 ? base_.own_newest : base_.version));
    STELA_TRY(write_changes(*writer, before));
    STELA_ASSIGN(std::optional<VersionInfo> version, writer->commit(info_));
    // The commit stands, whatever becomes of the view of it.
    if (version.has_value() && !rest_on(table, *version, writer->was_alone()).ok()) {
      STELA_TRY(rest_on(table, *version, false));
    }
    return version;
  }();
  if (!committed.ok()) return committed.status().with_context(file_name_);
  return committed;
}

}  // namespace

Result<InPlace> begin_in_place(TreeContext& context, NodeId dataset, const std::string& file_name,
                               const ColumnFile& column, const Caller& caller) {
  STELA_ASSIGN(Table table, context.store.table(dataset));
  STELA_ASSIGN(Snapshot base, table.at(column.version()));
  STELA_ASSIGN(std::unique_ptr<View> below, column.form().open(base, column.column(), std::nullopt));
  bool validity = std::string_view(column.form().extension()) == ".valid.npy";
  std::string header = format::npy_header(validity ? DataType::of(TypeKind::kBool) : column.column().type, base.rows());
  uint64_t header_bytes = header.size();
  InPlace in_place;
  STELA_ASSIGN(in_place.bytes,
               Overlay::create(context.store.env().files(), context.drafts, std::move(below), std::move(header)));
  in_place.target = std::make_unique<InPlaceTarget>(context, dataset, file_name, column, *in_place.bytes, header_bytes,
                                                    context.commit_info(caller));
  return in_place;
}

}  // namespace stela::fsd
