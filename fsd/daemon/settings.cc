#include "fsd/daemon/settings.h"

#include <limits>

#include "fsd/daemon/setting_values.h"

namespace stela::fsd {
namespace {

// How the values of one kind are read and shown. `Part` and `Field` are pointers to members: the options
// struct within Settings, and the field within it.
template <auto Part, auto Field>
auto& field_of(Settings& settings) {
  return (settings.*Part).*Field;
}
template <auto Part, auto Field>
const auto& field_of(const Settings& settings) {
  return (settings.*Part).*Field;
}

Status out_of_range(std::string_view value, const std::string& least, const std::string& most) {
  return invalid(std::string(value) + " is not between " + least + " and " + most);
}

template <auto Part, auto Field, uint64_t Least, uint64_t Most>
constexpr SettingKey size_key(const char* section, const char* name, const char* form, const char* meaning) {
  return {section,
          name,
          form,
          meaning,
          [](Settings& settings, std::string_view text) -> Status {
            STELA_ASSIGN(uint64_t bytes, parse_size(text));
            if (bytes < Least || bytes > Most) return out_of_range(text, format_size(Least), format_size(Most));
            auto& field = field_of<Part, Field>(settings);
            field = static_cast<std::remove_reference_t<decltype(field)>>(bytes);
            return {};
          },
          [](const Settings& settings) { return format_size(field_of<Part, Field>(settings)); }};
}

template <auto Part, auto Field, uint64_t Least, uint64_t Most>
constexpr SettingKey count_key(const char* section, const char* name, const char* form, const char* meaning) {
  return {section,
          name,
          form,
          meaning,
          [](Settings& settings, std::string_view text) -> Status {
            STELA_ASSIGN(uint64_t count, parse_count(text));
            if (count < Least || count > Most) return out_of_range(text, std::to_string(Least), std::to_string(Most));
            auto& field = field_of<Part, Field>(settings);
            field = static_cast<std::remove_reference_t<decltype(field)>>(count);
            return {};
          },
          [](const Settings& settings) { return std::to_string(field_of<Part, Field>(settings)); }};
}

template <auto Part, auto Field, int64_t LeastNs, int64_t MostNs>
constexpr SettingKey time_key(const char* section, const char* name, const char* form, const char* meaning) {
  return {section,
          name,
          form,
          meaning,
          [](Settings& settings, std::string_view text) -> Status {
            STELA_ASSIGN(int64_t ns, parse_duration_ns(text));
            if (ns < LeastNs || ns > MostNs) {
              return out_of_range(text, format_duration_ns(LeastNs), format_duration_ns(MostNs));
            }
            field_of<Part, Field>(settings) = ns;
            return {};
          },
          [](const Settings& settings) { return format_duration_ns(field_of<Part, Field>(settings)); }};
}

template <auto Part, auto Field>
constexpr SettingKey switch_key(const char* section, const char* name, const char* meaning) {
  return {section,
          name,
          "on or off",
          meaning,
          [](Settings& settings, std::string_view text) -> Status {
            STELA_ASSIGN(bool on, parse_switch(text));
            field_of<Part, Field>(settings) = on;
            return {};
          },
          [](const Settings& settings) { return std::string(field_of<Part, Field>(settings) ? "on" : "off"); }};
}

Status set_read_only(Settings& settings, std::string_view text) {
  STELA_ASSIGN(bool on, parse_switch(text));
  settings.tree.read_only = on;
  settings.store.read_only = on;
  return {};
}
std::string get_read_only(const Settings& settings) { return settings.tree.read_only ? "on" : "off"; }

Status set_special(Settings& settings, std::string_view text) {
  if (text != "listed" && text != "hidden") return invalid("'" + std::string(text) + "' is neither hidden nor listed");
  settings.tree.list_special = text == "listed";
  return {};
}
std::string get_special(const Settings& settings) { return settings.tree.list_special ? "listed" : "hidden"; }

Status set_kernel(Settings& settings, std::string_view text) {
  STELA_ASSIGN(settings.service.kernel_max, parse_kernel(text));
  return {};
}
std::string get_kernel(const Settings& settings) { return format_kernel(settings.service.kernel_max); }

constexpr uint64_t kKi = 1ull << 10, kMi = 1ull << 20, kGi = 1ull << 30, kTi = 1ull << 40;
constexpr int64_t kMs = 1'000'000, kS = 1'000'000'000, kH = 3600 * kS;
constexpr auto kStore = &Settings::store;
constexpr auto kTree = &Settings::tree;
constexpr auto kService = &Settings::service;

constexpr SettingKey kKeys[] = {
    // ---- mount
    {"mount", "ro", "on or off", "mount read-only; the store is opened read-only too", set_read_only, get_read_only},
    switch_key<kService, &ServiceOptions::allow_other>(
        "mount", "allow_other", "other users may use the mount, each with the permissions of the datasets"),
    {"mount", "special", "hidden or listed", "whether ls shows the names that begin with a dot", set_special,
     get_special},
    switch_key<kTree, &TreeOptions::passthrough>(
        "mount", "passthrough", "the kernel reads plain columns itself where it can (Linux 6.9, root)"),
    {"mount", "kernel", "auto or a version such as 6.1", "use nothing that is newer than this kernel", set_kernel,
     get_kernel},
    time_key<kTree, &TreeOptions::head_timeout_ns, 0, kH>(
        "mount", "head_timeout", "time up to 1h",
        "how long the kernel may believe names and attributes of the newest version"),
    time_key<kTree, &TreeOptions::verify_wait_ns, 0, 60 * kS>(
        "mount", "verify_wait", "time up to 60s", "how long an open may wait for a file to be verified for the kernel"),
    time_key<kTree, &TreeOptions::error_keep_ns, kS, 24 * kH>("mount", "error_keep", "time from 1s to 1d",
                                                              "how long a refused name keeps its sentence"),
    time_key<kTree, &TreeOptions::transaction_idle_ns, kS, 24 * 365 * kH>(
        "mount", "transaction_idle", "time from 1s to 365d", "a transaction that nobody used for this is given up"),
    count_key<kService, &ServiceOptions::workers, 2, 256>("mount", "workers", "number from 2 to 256",
                                                          "threads that take requests of the mount"),
    count_key<kService, &ServiceOptions::waiting_threads, 1, 1024>(
        "mount", "waiting_threads", "number from 1 to 1024", "requests that may wait for a commit or a disk at a time"),
    // ---- limits
    size_key<kTree, &TreeOptions::drafts_bytes_max, kMi, 64 * kTi>("limits", "drafts_bytes", "size from 1MiB",
                                                                   "bytes of files that are being written"),
    count_key<kTree, &TreeOptions::drafts_max, 1, 1 << 20>("limits", "drafts", "number from 1",
                                                           "files that are being written"),
    size_key<kTree, &TreeOptions::scratch_bytes_max, 0, 64 * kTi>(
        "limits", "scratch_bytes", "size", "bytes of temporary files that editors and copiers leave in datasets"),
    count_key<kTree, &TreeOptions::receipts_max, 1, 1 << 24>(
        "limits", "receipts", "number from 1", "names that stay addressable in drop boxes after their commit"),
    size_key<kStore, &StoreOptions::field_bytes_max, kKi, kGi>("limits", "field_bytes", "size from 1KiB to 1GiB",
                                                               "one text or binary value"),
    size_key<kStore, &StoreOptions::import_memory_bytes, 16 * kMi, kTi>("limits", "import_memory", "size from 16MiB",
                                                                        "memory of one import"),
    size_key<kStore, &StoreOptions::block_cache_bytes, kMi, kTi>("limits", "block_cache", "size from 1MiB",
                                                                 "memory for blocks and pages that were read"),
    count_key<kStore, &StoreOptions::descriptors_max, 16, 1 << 20>("limits", "descriptors", "number from 16",
                                                                   "files of the store kept open"),
    count_key<kService, &ServiceOptions::control_connections, 1, 1024>(
        "limits", "control_connections", "number from 1 to 1024", "commands a daemon serves at a time"),
    size_key<kService, &ServiceOptions::log_bytes_max, 64 * kKi, kGi>("limits", "log_bytes", "size from 64KiB to 1GiB",
                                                                      "daemon.log beyond this becomes daemon.log.old"),
    // ---- store
    size_key<kStore, &StoreOptions::log_segment_bytes, 64 * kKi, kGi>(
        "store", "log_segment", "size from 64KiB to 1GiB", "a segment of the log; counts when a store is made"),
    count_key<kStore, &StoreOptions::log_segments_ready, 1, 64>("store", "log_segments_ready", "number from 1 to 64",
                                                                "segments kept zero-filled ahead"),
    size_key<kStore, &StoreOptions::flush_log_bytes, 64 * kKi, kGi>("store", "flush_log", "size from 64KiB to 1GiB",
                                                                    "flush when the log has grown by this"),
    size_key<kStore, &StoreOptions::flush_tail_bytes, 64 * kKi, kGi>("store", "flush_tail", "size from 64KiB to 1GiB",
                                                                     "flush when rows in memory pass this"),
    time_key<kStore, &StoreOptions::flush_idle_ns, 100 * kMs, 24 * kH>("store", "flush_idle", "time from 100ms to 1d",
                                                                       "flush after this without a commit"),
    size_key<kStore, &StoreOptions::stall_bytes, 128 * kKi, 16 * kGi>(
        "store", "stall", "size from 128KiB to 16GiB", "commits wait while log or rows in memory are beyond this"),
    size_key<kStore, &StoreOptions::inline_bytes_max, kKi, 16 * kMi>("store", "inline_bytes", "size from 1KiB to 16MiB",
                                                                     "rows up to this travel in the log"),
    count_key<kStore, &StoreOptions::merge_factor, 2, 64>("store", "merge_factor", "number from 2 to 64",
                                                          "neighbouring small files merged into one"),
    count_key<kStore, &StoreOptions::merge_rows_max, kKi, 1ull << 32>("store", "merge_rows", "number from 1024",
                                                                      "files of more rows are not merged"),
    size_key<kStore, &StoreOptions::merge_bytes_max, kMi, kTi>("store", "merge_bytes", "size from 1MiB",
                                                               "files beyond this are not merged"),
    time_key<kStore, &StoreOptions::fold_idle_ns, kMs, 24 * kH>(
        "store", "fold_idle", "time from 1ms to 1d", "a column changed in place is rewritten when left alone for this"),
    size_key<kStore, &StoreOptions::fold_bytes_per_second, kKi, kTi>(
        "store", "fold_rate", "size from 1KiB", "and for a second more for each of these bytes that it has"),
    size_key<kStore, &StoreOptions::page_bytes, 4 * kKi, 8 * kMi>("store", "page", "size from 4KiB to 8MiB",
                                                                  "target of a page of values"),
    size_key<kStore, &StoreOptions::flat_bytes_min, 4 * kKi, kTi>(
        "store", "flat", "size from 4KiB", "plain columns from this on become a file the kernel can serve"),
    size_key<kStore, &StoreOptions::reserve_bytes, 0, kGi>("store", "reserve", "size up to 1GiB",
                                                           "kept free for removals on a full disk"),
};

}  // namespace

std::span<const SettingKey> setting_keys() { return kKeys; }

const SettingKey* find_setting(std::string_view name) {
  for (const SettingKey& key : kKeys) {
    if (name == key.name) return &key;
  }
  return nullptr;
}

}  // namespace stela::fsd
