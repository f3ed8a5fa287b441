// Restoring: the content of an older version as a new commit.
#pragma once

#include <optional>

#include "engine/store/store_impl.h"

namespace stela::store {

// The dataset shows again what `to` shows: its rows, values, columns and names. Cost: what is undone. nullopt: it does
// already. kNotFound: no such version; kConflict: others kept on committing.
Result<std::optional<VersionInfo>> restore_version(StoreImpl& store, NodeId dataset, VersionNumber to,
                                                   const CommitInfo& info);

}  // namespace stela::store
