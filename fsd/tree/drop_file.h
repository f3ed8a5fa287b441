// DropFile: a name in a drop box: rows on their way in, then a receipt, or the sentence of a refusal.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fsd/ingest/ingest.h"
#include "fsd/tree/draft_file.h"
#include "fsd/tree/receipts.h"

namespace stela::fsd {

// Where a drop box is: the dataset, and the options of its folder ("" or "null=NA,delimiter=%2C").
struct DropPlace {
  NodeId dataset;
  std::string folder;
  IngestOptions options;

  std::string directory_key() const;
  std::string path(const TreeContext& context) const;
  // Of a receipt in the catalogue.
  std::string receipt_name(std::string_view name) const;
};

// The format of a name in a drop box, or why there is none.
Result<const RowFormat*> row_format_of(std::string_view name);

class RowsTarget : public DraftTarget {
 public:
  static Result<std::unique_ptr<RowsTarget>> create(TreeContext& context, const DropPlace& place,
                                                    const std::string& name, const Caller& caller);
  Result<std::optional<VersionInfo>> commit(ByteSource& source, bool final) override;
  bool is_drained() const override { return ingest_ == nullptr || ingest_->is_drained(); }
  void restart() override { ingest_.reset(); }

 private:
  RowsTarget(const RowFormat& format, std::string name, Table table, IngestOptions options, CommitInfo info);
  const RowFormat& format_;
  const std::string name_;
  const Table table_;
  const IngestOptions options_;
  const CommitInfo info_;
  std::unique_ptr<RowIngest> ingest_;
};

class DropFile : public DraftFile {
 public:
  DropFile(TreeContext& context, DropPlace place, std::string name, std::optional<Receipt> receipt, const Caller& owner,
           uint32_t mode);

  Result<Shown> attributes(bool may_compute) override;
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;
  Result<std::string> xattr(std::string_view field) override;
  std::vector<std::string> xattr_fields() override;
  void committed(const VersionInfo& version, Draft& draft) override;
  void nothing_committed(Draft& draft) override;
  void closed(const Status& failure) override;
  void removed() override;
  // To another name of the same drop box; the receipt goes along.
  void moved(const std::string& name);
  std::optional<Receipt> receipt() const;

 private:
  std::string header_of(Draft& draft) const;
  void make_receipt(Draft& draft, VersionNumber version, int64_t time_ns);
  void keep_receipt();
  const DropPlace drop_;
  std::string name_;
  std::optional<Receipt> receipt_;
  Status refused_;
};

}  // namespace stela::fsd
