// UpdateWriter: cells of a column on their way into patches.
#pragma once

#include <memory>

#include "engine/store/store.h"
#include "engine/store/store_impl.h"

namespace stela::store {

Result<std::unique_ptr<UpdateWriter>> make_update_writer(StoreImpl& store, NodeId dataset, ColumnId column,
                                                         const UpdateBase& base);

}  // namespace stela::store
