// Opening the store in a folder for a program: creating it where that is wanted, and saying in its lease who
// holds it.
#pragma once

#include <memory>
#include <string>

#include "engine/base/status.h"
#include "engine/store/store.h"

namespace stela::fsd {

struct OpenStoreOptions {
  bool create_if_absent = false;
  std::string holder;  // for the lease: "mounted at /mnt", "stela import"
};

// kNotFound: no store there; kBusy: another process holds it, the sentence says who; kInvalid: with
// create_if_absent, a folder that holds something else.
Result<std::unique_ptr<Store>> open_store_folder(const std::string& directory, const StoreOptions& store_options,
                                                 const OpenStoreOptions& options);

// "pid 17 on host.example, mounted at /mnt".
std::string holder_text(const std::string& what);

}  // namespace stela::fsd
