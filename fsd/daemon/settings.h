// Everything that can be configured, in one table: stela.conf, -o, --help, docs and .stela/config.json are
// all made from it. Adding a setting = a field in the options it belongs to and one line in settings.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/store/options.h"
#include "fsd/fuse/init_exchange.h"
#include "fsd/tree/tree.h"

namespace stela::fsd {

struct ServiceOptions {
  bool allow_other = false;
  fuse::KernelVersion kernel_max;
  uint32_t workers = 16;
  uint32_t waiting_threads = 64;
  uint32_t control_connections = 32;
  uint64_t log_bytes_max = 8 << 20;
};

struct Settings {
  StoreOptions store;
  TreeOptions tree;
  ServiceOptions service;
};

// One line of the table.
struct SettingKey {
  const char* section;
  const char* name;
  const char* form;  // "size from 4KiB to 8MiB", "on or off", ...
  const char* meaning;
  // kInvalid when the value is not of the form.
  Status (*set)(Settings& settings, std::string_view value);
  std::string (*get)(const Settings& settings);
};
std::span<const SettingKey> setting_keys();
const SettingKey* find_setting(std::string_view name);

}  // namespace stela::fsd
