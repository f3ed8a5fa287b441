#include "engine/store/manifest.h"

#include <algorithm>
#include <charconv>

#include "engine/base/coding.h"

namespace stela::store {

namespace {

constexpr uint32_t kMagic = 0x314e4d53;  // "SMN1"
constexpr uint32_t kFormatMajor = 1;
constexpr uint64_t kManifestBytesMax = 16 << 20;
constexpr uint64_t kRunsMax = 4096;

void put_tail(std::string& out, const log::LogTail& tail) {
  put_fixed(out, tail.position);
  put_fixed(out, tail.last.position);
  put_fixed(out, tail.last.crc);
  put_fixed(out, tail.epoch.counter);
  put_fixed(out, tail.epoch.random);
}

bool read_tail(Decoder& in, log::LogTail* tail) {
  return in.fixed(&tail->position) && in.fixed(&tail->last.position) && in.fixed(&tail->last.crc) &&
         in.fixed(&tail->epoch.counter) && in.fixed(&tail->epoch.random);
}

void put_run(std::string& out, const catalog::RunInfo& run) {
  put_varint(out, run.file.value);
  put_varint(out, run.bytes);
  put_varint(out, run.entries);
  put_varint(out, run.birth_min.value);
  put_varint(out, run.birth_max.value);
  put_varint(out, run.install_max.value);
}

bool read_run(Decoder& in, catalog::RunInfo* run) {
  return in.varint(&run->file.value) && in.varint(&run->bytes) && in.varint(&run->entries) &&
         in.varint(&run->birth_min.value) && in.varint(&run->birth_max.value) && in.varint(&run->install_max.value);
}

// Words a reader must know to read the store: one that does not know patches would show what
// lies below them.
const char* const kKnownFeatures[] = {"base", "patches", "deleted rows"};

Status check_features(Decoder& in) {
  uint64_t count = 0;
  if (!in.varint_upto(256, &count)) return damaged("the list of features is malformed");
  for (uint64_t i = 0; i < count; ++i) {
    std::string feature;
    if (!in.text(&feature)) return damaged("the list of features is malformed");
    bool known = std::find(std::begin(kKnownFeatures), std::end(kKnownFeatures), feature) != std::end(kKnownFeatures);
    if (!known) {
      return unsupported("this store needs the feature '" + feature +
                         "', which this version of Stela does not have; open it with a newer one");
    }
  }
  return {};
}

void put_features(std::string& out) {
  put_varint(out, std::size(kKnownFeatures));
  for (const char* feature : kKnownFeatures) put_text(out, feature);
}

Status decode_body(std::string_view body, Manifest* manifest) {
  Decoder in(body);
  STELA_TRY(check_features(in));
  uint64_t clean = 0;
  uint64_t runs = 0;
  bool ok = in.varint(&manifest->number) && in.fixed(&manifest->store_id) && in.varint(&manifest->log_segment_bytes) &&
            read_tail(in, &manifest->log_start) && in.varint_upto(1, &clean) && in.varint(&manifest->newest.value) &&
            in.fixed(&manifest->newest_time_ns) && in.varint(&manifest->next_node) && in.varint(&manifest->next_file) &&
            in.varint(&manifest->lowest_unsettled_file) && in.varint_upto(kRunsMax, &runs);
  if (!ok) return damaged("the manifest's fields are malformed");
  manifest->clean = clean != 0;
  manifest->runs.resize(runs);
  for (catalog::RunInfo& run : manifest->runs) {
    if (!read_run(in, &run)) return damaged("the manifest's list of runs is malformed");
  }
  uint64_t segment = manifest->log_segment_bytes;
  if (segment < 4 * kLogBlock || segment > (uint64_t{1} << 30) || segment % kLogBlock != 0) {
    return damaged("the manifest's log segment size is impossible");
  }
  return {};
}

// One copy: magic, major, length, CRC, body.
constexpr size_t kFrameBytes = 16;

std::string frame(const std::string& body) {
  std::string out;
  put_fixed(out, kMagic);
  put_fixed(out, kFormatMajor);
  put_fixed(out, static_cast<uint32_t>(body.size()));
  put_fixed(out, crc32c(body, crc32c(out)));
  return out + body;
}

Status read_frame(std::string_view bytes, size_t offset, std::string_view* body) {
  if (offset > bytes.size() || bytes.size() - offset < kFrameBytes) return damaged("it ends too early");
  std::string_view at = bytes.substr(offset);
  if (get_fixed<uint32_t>(at.data()) != kMagic) return damaged("it does not begin as a manifest does");
  auto length = get_fixed<uint32_t>(at.data() + 8);
  if (length > at.size() - kFrameBytes) return damaged("it ends too early");
  *body = at.substr(kFrameBytes, length);
  if (get_fixed<uint32_t>(at.data() + 12) != crc32c(*body, crc32c(at.substr(0, 12)))) {
    return damaged("its checksum is wrong");
  }
  if (auto major = get_fixed<uint32_t>(at.data() + 4); major != kFormatMajor) {
    return unsupported("this store has format " + std::to_string(major) +
                       ", which this version of Stela does not know; open it with a newer one");
  }
  return {};
}

Result<std::string> read_whole(Files& files, const std::string& name, uint64_t limit) {
  STELA_ASSIGN(auto reader, files.open(name));
  if (reader->size() > limit) return damaged("'" + name + "' has an impossible size");
  std::string bytes(reader->size(), '\0');
  STELA_TRY(reader->read_at(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}));
  return bytes;
}

}  // namespace

std::string Manifest::encode() const {
  std::string body;
  put_features(body);
  put_varint(body, number);
  put_fixed(body, store_id);
  put_varint(body, log_segment_bytes);
  put_tail(body, log_start);
  put_varint(body, clean ? 1 : 0);
  put_varint(body, newest.value);
  put_fixed(body, newest_time_ns);
  put_varint(body, next_node);
  put_varint(body, next_file);
  put_varint(body, lowest_unsettled_file);
  put_varint(body, runs.size());
  for (const catalog::RunInfo& run : runs) put_run(body, run);
  std::string copy = frame(body);
  return copy + copy;
}

Result<Manifest> Manifest::decode(std::string_view bytes) {
  std::string_view body;
  Status first = read_frame(bytes, 0, &body);
  if (first.code() == Code::kUnsupported) return first;
  if (!first.ok()) STELA_TRY(read_frame(bytes, bytes.size() / 2, &body));
  Manifest manifest;
  STELA_TRY(decode_body(body, &manifest));
  return manifest;
}

std::string manifest_name(uint64_t number) { return "catalog/" + std::to_string(number) + ".manifest"; }
std::string run_name(FileId id) { return "catalog/" + std::to_string(id.value) + ".run"; }

Status write_manifest(Files& files, const Manifest& manifest) {
  std::string bytes = manifest.encode();
  return files.put_if_absent(manifest_name(manifest.number), as_bytes(bytes));
}

Result<Manifest> read_newest_manifest(Files& files) {
  STELA_ASSIGN(std::vector<std::string> names, files.list("catalog"));
  uint64_t newest = 0;
  for (const std::string& name : names) {
    if (!name.ends_with(".manifest")) continue;
    uint64_t number = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc() && std::string_view(end) == ".manifest") newest = std::max(newest, number);
  }
  if (newest == 0) return not_found("the store has no manifest");
  STELA_ASSIGN(std::string bytes, read_whole(files, manifest_name(newest), kManifestBytesMax));
  auto manifest = Manifest::decode(bytes);
  if (!manifest.ok()) return manifest.status().with_context("'" + manifest_name(newest) + "'");
  if (manifest->number != newest) return damaged("'" + manifest_name(newest) + "' holds another manifest");
  return manifest;
}

std::string StoreHeader::encode() const {
  std::string body;
  put_features(body);
  put_fixed(body, store_id);
  put_fixed(body, created_ns);
  std::string out = "Stela store, format 1\n";
  put_fixed(out, static_cast<uint32_t>(body.size()));
  put_fixed(out, crc32c(body));
  return out + body;
}

Result<StoreHeader> StoreHeader::decode(std::string_view bytes) {
  constexpr std::string_view kStart = "Stela store, format ";
  if (!bytes.starts_with(kStart)) return damaged("'STELA' does not begin as a store's does");
  size_t line = bytes.find('\n');
  if (line == std::string_view::npos || line > 64) return damaged("'STELA' is malformed");
  std::string_view format = bytes.substr(kStart.size(), line - kStart.size());
  if (format != "1") {
    return unsupported("this store has format " + std::string(format) +
                       ", which this version of Stela does not know; open it with a newer one");
  }
  Decoder in(bytes.substr(line + 1));
  uint32_t length = 0;
  uint32_t crc = 0;
  std::string_view body;
  if (!in.fixed(&length) || !in.fixed(&crc) || !in.bytes(length, &body) || crc32c(body) != crc) {
    return damaged("'STELA' is damaged: its checksum is wrong");
  }
  Decoder fields(body);
  STELA_TRY(check_features(fields));
  StoreHeader header;
  if (!fields.fixed(&header.store_id) || !fields.fixed(&header.created_ns)) return damaged("'STELA' is malformed");
  return header;
}

Status write_store_header(Files& files, const StoreHeader& header) {
  std::string bytes = header.encode();
  return files.put_if_absent(kStoreHeaderName, as_bytes(bytes));
}

Result<StoreHeader> read_store_header(Files& files) {
  auto bytes = read_whole(files, kStoreHeaderName, 4096);
  if (bytes.status().code() == Code::kNotFound) return not_found("there is no Stela store here (no file 'STELA')");
  if (!bytes.ok()) return bytes.status();
  return StoreHeader::decode(*bytes);
}

}  // namespace stela::store
