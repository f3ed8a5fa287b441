#include <array>

#include "fsd/views/column_form.h"

namespace stela::fsd {

// One line a form.
std::span<const ViewForm* const> all_view_forms() {
  static const std::array<const ViewForm*, 5> forms = {
      &npy_form(),        //
      &valid_npy_form(),  //
      &arrow_form(),      //
      &csv_form(),        //
      &txt_form(),        //
  };
  return forms;
}

std::span<const TableForm* const> all_table_forms() {
  static const std::array<const TableForm*, 6> forms = {
      &table_csv_form(),    //
      &table_jsonl_form(),  //
      &table_arrow_form(),  //
      &schema_json_form(),  //
      &stats_json_form(),   //
      &commit_json_form(),  //
  };
  return forms;
}

const ViewForm* find_view_form(std::string_view extension) {
  for (const ViewForm* form : all_view_forms()) {
    if (extension == form->extension()) return form;
  }
  return nullptr;
}

const TableForm* find_table_form(std::string_view name) {
  for (const TableForm* form : all_table_forms()) {
    if (name == form->name()) return form;
  }
  return nullptr;
}

std::optional<ViewName> split_view_name(std::string_view file_name) {
  const ViewForm* longest = nullptr;
  size_t longest_bytes = 0;
  for (const ViewForm* form : all_view_forms()) {
    std::string_view extension = form->extension();
    if (extension.size() > longest_bytes && file_name.ends_with(extension)) {
      longest = form;
      longest_bytes = extension.size();
    }
  }
  if (longest == nullptr || file_name.size() == longest_bytes) return std::nullopt;
  return ViewName{longest, file_name.substr(0, file_name.size() - longest_bytes)};
}

const ViewForm& listed_form(const DataType& type) {
  if (type.is_numpy()) return npy_form();
  return arrow_form();
}

}  // namespace stela::fsd
