// .tx of a dataset, and .stela/tx: the directory in which mkdir begins a transaction and rmdir gives one up.
#pragma once

#include <string>

#include "fsd/tree/node.h"

namespace stela::fsd {

inline constexpr const char* kTransactionsName = "tx";  // in .stela

// `dataset`: kRootNode for transactions that span all.
NodeRef transactions_directory(TreeContext& context, NodeId dataset);
std::string transactions_key(NodeId dataset);

}  // namespace stela::fsd
