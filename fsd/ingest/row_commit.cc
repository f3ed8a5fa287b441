#include "fsd/ingest/row_commit.h"

namespace stela::fsd {

Result<std::optional<VersionInfo>> commit_rows(RowSink& sink, uint64_t rows, Rejections& rejections,
                                               const CommitInfo& info) {
  if (rows == 0 && rejections.count() == 0) return std::optional<VersionInfo>();
  if (rows == 0) {
    return invalid(rejections.first() + " (and every other row was rejected: " + std::to_string(rejections.count()) +
                   " in all)");
  }
  STELA_TRY(rejections.reserve());
  CommitInfo told = info;
  if (rejections.count() > 0) {
    told.message += told.message.empty() ? "" : "; ";
    told.message += std::to_string(rejections.count()) + " rejected rows left out";
  }
  Result<VersionInfo> version = sink.commit(told);
  if (!version.ok()) return version.status();
  rejections.committed();
  return std::optional<VersionInfo>(std::move(version).value());
}

}  // namespace stela::fsd
