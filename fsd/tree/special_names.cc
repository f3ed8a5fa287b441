#include "fsd/tree/special_names.h"

namespace stela::fsd {

Status SpecialName::refuse_creation(const std::string& path) const {
  return {Code::kExists, path + " is there already"};
}

std::span<const SpecialName* const> all_special_names() {
  static const SpecialName* const names[] = {
      &versions_name(), &tags_name(), &times_name(), &drop_box_name(), &table_files_name(), &coming_names(),
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
