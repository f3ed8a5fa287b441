#include "fsd/tree/special_names.h"

#include "fsd/tree/context.h"

namespace stela::fsd {

Status SpecialName::refuse_creation(const std::string& path) const {
  return {Code::kExists, path + " is there already"};
}

Result<Created> SpecialName::create(TreeContext& context, const DatasetPlace& place, std::string_view name, uint32_t,
                                    const Caller&) const {
  return refuse_creation(place.path(context) + "/" + std::string(name));
}

Status SpecialName::take(TreeContext& context, const DatasetPlace& place, std::string_view name, ByteSource&,
                         const Caller&) const {
  return {Code::kNotPermitted,
          place.path(context) + "/" + std::string(name) + " belongs to the dataset and cannot be replaced"};
}

std::span<const SpecialName* const> all_special_names() {
  static const SpecialName* const names[] = {
      &versions_name(),    &tags_name(),         &times_name(),   &drop_box_name(),
      &table_files_name(), &transactions_name(), &coming_names(),
  };
  return names;
}

const SpecialName* find_special_name(std::string_view name) {
  if (name.empty() || name.front() != '.') return nullptr;
  for (const SpecialName* special : all_special_names()) {
    if (special->matches(name)) return special;
  }
  return nullptr;
}

}  // namespace stela::fsd
