// A column that was renamed while the kernel holds its node under the old name.
#include "fsd/tree/content_identity.h"
#include "fsd/tree/context.h"
#include "fsd/tree/view_file.h"

namespace stela::fsd {

void ColumnFile::repeat_expected(const Caller& caller) {
  if (!place_.head()) return;
  auto head = place_.snapshot(context());
  auto now = head.ok() ? head->column(view_.column.id) : Result<ColumnInfo>(head.status());
  if (!now.ok() || now->name == view_.column.name) return;
  std::string name = encode_column_file_stem(now->name) + view_.form->extension();
  context().fresh.ask(place_of(place_.directory_key(), name), caller);
}

}  // namespace stela::fsd
