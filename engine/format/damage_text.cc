#include "engine/format/damage_text.h"

namespace stela::format {

Status damage_status(const std::string& file_name, const Damage& damage) {
  std::string text = file_name + ": column " + std::to_string(damage.column.value) + ", page " +
                     std::to_string(damage.page) + ", rows " + std::to_string(damage.first_row);
  if (damage.rows > 1) text += " to " + std::to_string(damage.first_row + damage.rows - 1);
  return damaged(text + ": " + damage.reason + "; other rows can be read, bring this file back from a backup");
}

}  // namespace stela::format
