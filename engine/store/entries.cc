#include "engine/store/entries.h"

#include "engine/base/coding.h"

namespace stela::store {

namespace {

constexpr uint64_t kEntryVersion = 1;
constexpr uint64_t kListMax = 1 << 24;

// Every value begins with its version; fields a newer minor adds at the end are skipped by decode().
std::string begin() {
  std::string out;
  put_varint(out, kEntryVersion);
  return out;
}

bool read_version(Decoder& in) {
  uint64_t version = 0;
  return in.varint(&version) && version == kEntryVersion;
}

template <typename Id>
bool read_id(Decoder& in, Id* id) {
  return in.varint(&id->value);
}

bool read_u32(Decoder& in, uint32_t* value) {
  uint64_t wide = 0;
  if (!in.varint_upto(UINT32_MAX, &wide)) return false;
  *value = static_cast<uint32_t>(wide);
  return true;
}

bool read_bool(Decoder& in, bool* value) {
  uint64_t wide = 0;
  if (!in.varint_upto(1, &wide)) return false;
  *value = wide != 0;
  return true;
}

template <typename Id>
void put_ids(std::string& out, const std::vector<Id>& ids) {
  put_varint(out, ids.size());
  for (Id id : ids) put_varint(out, id.value);
}

template <typename Id>
bool read_ids(Decoder& in, std::vector<Id>* ids) {
  uint64_t count = 0;
  if (!in.varint_upto(kListMax, &count) || count > in.rest().size()) return false;
  ids->resize(count);
  for (Id& id : *ids) {
    if (!read_id(in, &id)) return false;
  }
  return true;
}

Status malformed(const char* what) { return damaged(std::string("the catalogue's ") + what + " entry is malformed"); }

}  // namespace

std::string NameEntry::encode() const {
  std::string out = begin();
  put_varint(out, node.value);
  put_varint(out, last.value);
  put_fixed(out, changed_ns);
  put_text(out, changed_by);
  return out;
}

Result<NameEntry> NameEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  NameEntry entry;
  bool ok = read_version(in) && read_id(in, &entry.node) && read_id(in, &entry.last);
  std::string_view by;
  if (ok && !in.at_end()) ok = in.fixed(&entry.changed_ns) && in.text(&by);
  if (!ok) return malformed("name");
  entry.changed_by = std::string(by);
  return entry;
}

std::string NodeEntry::encode() const {
  std::string out = begin();
  put_varint(out, static_cast<uint64_t>(kind));
  put_varint(out, parent.value);
  put_text(out, name);
  put_varint(out, attributes.mode);
  put_varint(out, attributes.uid);
  put_varint(out, attributes.gid);
  put_fixed(out, created_ns);
  put_fixed(out, changed_ns);
  put_varint(out, dropped ? 1 : 0);
  put_varint(out, next_column.value);
  put_varint(out, next_group.value);
  return out;
}

Result<NodeEntry> NodeEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  NodeEntry entry;
  uint64_t kind = 0;
  bool ok = read_version(in) && in.varint_upto(3, &kind) && kind >= 1 && read_id(in, &entry.parent) &&
            in.text(&entry.name) && read_u32(in, &entry.attributes.mode) && read_u32(in, &entry.attributes.uid) &&
            read_u32(in, &entry.attributes.gid) && in.fixed(&entry.created_ns) && in.fixed(&entry.changed_ns) &&
            read_bool(in, &entry.dropped) && read_id(in, &entry.next_column) && read_id(in, &entry.next_group);
  if (!ok) return malformed("node");
  entry.kind = static_cast<NodeKind>(kind);
  return entry;
}

std::string VersionEntry::encode() const {
  std::string out = begin();
  put_varint(out, static_cast<uint64_t>(kind));
  put_varint(out, info.number.value);
  put_varint(out, info.sequence.value);
  put_fixed(out, info.time_ns);
  put_varint(out, info.rows);
  put_text(out, info.author);
  put_text(out, info.operation);
  put_text(out, info.message);
  put_varint(out, info.rows_changed.value);
  put_varint(out, info.rows_added);
  put_varint(out, info.bytes_added);
  put_ids(out, info.columns);
  put_varint(out, info.row_ids);
  return out;
}

Result<VersionEntry> VersionEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  VersionEntry entry;
  VersionInfo& info = entry.info;
  uint64_t kind = 0;
  bool ok = read_version(in) && in.varint_upto(255, &kind) && read_id(in, &info.number) &&
            read_id(in, &info.sequence) && in.fixed(&info.time_ns) && in.varint(&info.rows) && in.text(&info.author) &&
            in.text(&info.operation) && in.text(&info.message) && read_id(in, &info.rows_changed) &&
            in.varint(&info.rows_added) && in.varint(&info.bytes_added) && read_ids(in, &info.columns);
  info.row_ids = info.rows;  // of the first stores, which deleted none
  if (ok && !in.at_end()) ok = in.varint(&info.row_ids) && info.row_ids >= info.rows;
  if (!ok) return malformed("version");
  entry.kind = static_cast<VersionKind>(kind);
  return entry;
}

std::string TagEntry::encode() const {
  std::string out = begin();
  put_varint(out, version.value);
  put_fixed(out, time_ns);
  return out;
}

Result<TagEntry> TagEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  TagEntry entry;
  if (!read_version(in) || !read_id(in, &entry.version) || !in.fixed(&entry.time_ns)) return malformed("tag");
  return entry;
}

std::string ColumnEntry::encode() const {
  std::string out = begin();
  put_text(out, name);
  type.encode(out);
  put_varint(out, nullable ? 1 : 0);
  put_varint(out, group.value);
  put_varint(out, dropped ? 1 : 0);
  put_varint(out, created.value);
  put_varint(out, patched.value);
  put_fixed(out, nulls_added);
  put_fixed(out, bytes_added);
  return out;
}

Result<ColumnEntry> ColumnEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  ColumnEntry entry;
  bool ok = read_version(in) && in.text(&entry.name) && DataType::decode(in, &entry.type) &&
            read_bool(in, &entry.nullable) && read_id(in, &entry.group) && read_bool(in, &entry.dropped) &&
            read_id(in, &entry.created);
  // The first stores had no patches.
  if (ok && !in.at_end()) {
    ok = read_id(in, &entry.patched) && in.fixed(&entry.nulls_added) && in.fixed(&entry.bytes_added);
  }
  if (!ok || !entry.type.validate().ok()) return malformed("column");
  return entry;
}

std::string ColumnNameEntry::encode() const {
  std::string out = begin();
  put_varint(out, column.value);
  return out;
}

Result<ColumnNameEntry> ColumnNameEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  ColumnNameEntry entry;
  if (!read_version(in) || !read_id(in, &entry.column)) return malformed("column name");
  return entry;
}

std::string FragmentEntry::encode() const {
  std::string out = begin();
  put_varint(out, file.value);
  put_varint(out, offset);
  put_varint(out, length);
  put_varint(out, rows);
  put_varint(out, bytes);
  put_ids(out, flats);
  put_varint(out, skip);
  return out;
}

Result<FragmentEntry> FragmentEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  FragmentEntry entry;
  bool ok = read_version(in) && read_id(in, &entry.file) && in.varint(&entry.offset) && in.varint(&entry.length) &&
            in.varint(&entry.rows) && in.varint(&entry.bytes) && read_ids(in, &entry.flats);
  if (ok && !in.at_end()) ok = in.varint(&entry.skip);
  if (!ok) return malformed("fragment");
  return entry;
}

std::string FoldEntry::encode() const {
  std::string out = begin();
  put_text(out, fragment.encode());
  put_fixed(out, nulls_added);
  put_fixed(out, bytes_added);
  return out;
}

Result<FoldEntry> FoldEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  FoldEntry entry;
  std::string_view fragment;
  if (!read_version(in) || !in.text(&fragment) || !in.fixed(&entry.nulls_added) || !in.fixed(&entry.bytes_added)) {
    return malformed("fold");
  }
  STELA_ASSIGN(entry.fragment, FragmentEntry::decode(fragment));
  return entry;
}

std::string FileEntry::encode() const {
  std::string out = begin();
  put_varint(out, static_cast<uint64_t>(kind));
  put_varint(out, bytes);
  return out;
}

Result<FileEntry> FileEntry::decode(std::string_view bytes) {
  Decoder in(bytes);
  FileEntry entry;
  uint64_t kind = 0;
  if (!read_version(in) || !in.varint_upto(2, &kind) || kind < 1 || !in.varint(&entry.bytes)) return malformed("file");
  entry.kind = static_cast<format::FileKind>(kind);
  return entry;
}

}  // namespace stela::store
