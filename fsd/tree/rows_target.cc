#include "fsd/tree/context.h"
#include "fsd/tree/drop_file.h"

namespace stela::fsd {

Result<const RowFormat*> row_format_of(std::string_view name) {
  size_t dot = name.rfind('.');
  std::string_view extension = dot == std::string_view::npos ? std::string_view() : name.substr(dot);
  const RowFormat* format = extension.empty() ? nullptr : find_row_format(extension);
  if (format != nullptr) return format;
  if (!extension.empty()) {
    std::optional<Status> known = unsupported_row_format(extension);
    if (known.has_value() && !known->ok()) return known->with_context(name);
  }
  return invalid(std::string(name) +
                 ": unknown kind of file; rows are taken in as .csv, .tsv, .jsonl, .arrow, .npy or .npz");
}

RowsTarget::RowsTarget(const RowFormat& format, std::string name, Table table, IngestOptions options, CommitInfo info)
    : format_(format), name_(std::move(name)), table_(table), options_(std::move(options)), info_(std::move(info)) {}

Result<std::unique_ptr<RowsTarget>> RowsTarget::create(TreeContext& context, const DropPlace& place,
                                                       const std::string& name, const Caller& caller) {
  STELA_ASSIGN(const RowFormat* format, row_format_of(name));
  STELA_ASSIGN(Table table, context.store.table(place.dataset));
  return std::unique_ptr<RowsTarget>(new RowsTarget(*format, name, table, place.options, context.commit_info(caller)));
}

Result<std::optional<VersionInfo>> RowsTarget::commit(ByteSource& source, bool final) {
  if (ingest_ == nullptr) {
    STELA_ASSIGN(ingest_, format_.start(source, name_, table_, options_));
  }
  auto version = ingest_->commit(final, info_);
  // Nothing was committed: the next try begins at the start, whatever has been written over meanwhile.
  if (!version.ok() && ingest_->rows_committed() == 0) ingest_.reset();
  return version;
}

}  // namespace stela::fsd
