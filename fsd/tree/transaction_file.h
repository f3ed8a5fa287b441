// .commit and .check: what is in a transaction's own folder beside its datasets or columns.
#pragma once

#include <string_view>

#include "fsd/tree/node.h"

namespace stela::fsd {

// Null when it is neither. `inside`: the transaction's own context.
NodeRef transaction_file(TreeContext& inside, std::string_view name);

}  // namespace stela::fsd
