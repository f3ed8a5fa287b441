// SchemaDraft: .schema.json being written to an empty dataset: its types, stated before the first rows.
#pragma once

#include <memory>
#include <string>

#include "fsd/tree/dataset_place.h"
#include "fsd/tree/draft_file.h"

namespace stela::fsd {

// A committed source becomes the dataset's schema; kExists when the dataset has one.
std::unique_ptr<DraftTarget> create_schema_target(TreeContext& context, NodeId dataset, const Caller& caller);

// Found under its name until the dataset has a version, which then shows in its place; after a refusal it says why.
class SchemaDraft : public DraftFile {
 public:
  SchemaDraft(TreeContext& context, NodeId dataset, const Caller& owner);

  NodeId owner() const override { return dataset_; }
  Result<Shown> attributes(bool may_compute) override;
  Status set_attributes(const SetAttributes& set, const Caller& caller) override;
  Result<std::unique_ptr<OpenFile>> open(uint32_t flags, const Caller& caller) override;
  void committed(const VersionInfo& version, Draft& draft) override;
  void closed(const Status& failure) override;

 private:
  const NodeId dataset_;
  Status refused_;
};

}  // namespace stela::fsd
