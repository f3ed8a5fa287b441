// Manifest: the checkpoint from which an opening begins. Layout: manifest_format.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/catalog.h"
#include "engine/io/env.h"
#include "engine/log/log_writer.h"

namespace stela::store {

struct Manifest {
  uint64_t number = 0;
  uint64_t store_id = 0;
  uint64_t log_segment_bytes = 0;
  log::LogTail log_start;  // replay begins here
  bool clean = false;      // the store was closed: the log holds nothing behind log_start
  Sequence newest;         // largest sequence given out
  int64_t newest_time_ns = 0;
  uint64_t next_node = 2;
  uint64_t next_file = 1;
  uint64_t lowest_unsettled_file = 1;
  std::vector<catalog::RunInfo> runs;  // newest first

  std::string encode() const;
  // Tries the first copy, then the second. kUnsupported names a required feature this program lacks.
  static Result<Manifest> decode(std::string_view bytes);
};

std::string manifest_name(uint64_t number);  // "catalog/12.manifest"
std::string run_name(FileId id);             // "catalog/12.run"

Status write_manifest(Files& files, const Manifest& manifest);
// The highest numbered one. kNotFound: none; kDamaged: it cannot be read in either copy.
Result<Manifest> read_newest_manifest(Files& files);

// "STELA": what a folder must hold to be a store. Written once.
struct StoreHeader {
  uint64_t store_id = 0;
  int64_t created_ns = 0;
  std::string encode() const;
  static Result<StoreHeader> decode(std::string_view bytes);
};
inline constexpr const char* kStoreHeaderName = "STELA";
Status write_store_header(Files& files, const StoreHeader& header);
// kNotFound when there is no store here.
Result<StoreHeader> read_store_header(Files& files);

}  // namespace stela::store
