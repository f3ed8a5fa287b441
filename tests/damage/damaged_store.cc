#include "tests/damage/damaged_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "engine/io/posix_env.h"
#include "fsd/cli/tree_walk.h"
#include "tests/engine/value_shapes.h"

namespace stela::fsd {
namespace {

using format::Shape;

constexpr uint64_t kRows = 1500;
constexpr uint64_t kPieceBytes = 16 << 10;
constexpr uint64_t kBlockBytes = 512;
// Of so many damages, one is followed by a look at the repaired files.
constexpr uint64_t kRepairsLookedAt = 50;
const char* const kTypes[] = {
    "bool", "int16",  "int64",           "float32",          "float64",   "timestamp[us, UTC]",
    "utf8", "binary", "fixed_binary(7)", "decimal128(20,4)", "float32[5]"};

StoreOptions small_pages() {
  StoreOptions options;
  options.background = false;
  options.log_segment_bytes = 128 << 10;  // all are read when the store is opened
  options.inline_bytes_max = 0;           // every append has files of its own
  options.page_bytes = 4096;
  options.flat_bytes_min = 16 << 10;
  options.statistics_rows = 512;
  return options;
}

ColumnData with_some_nulls(const ColumnData& values, std::mt19937_64& random) {
  ColumnData out(values.type());
  for (uint64_t row = 0; row < values.rows(); ++row) {
    if (random() % 10 == 0) {
      out.append_nulls(1);
    } else {
      out.append(values.view().slice(row, 1));
    }
  }
  return out;
}

Status add_dataset(Store& store, const std::string& path, Batch batch, bool cold) {
  STELA_ASSIGN(Table table, store.create_table(path));
  STELA_TRY(table.append(batch, {}).status());
  return store.compact(table.id(), {.cold = cold, .progress = {}}).status();
}

Batch shapes_of(const char* type_name, bool nulls, std::mt19937_64& random) {
  Batch batch;
  const DataType type = *DataType::parse(type_name);
  for (Shape shape : format::kShapes) {
    ColumnData values = format::shaped_column(type, kRows, shape, random);
    const std::string name = "shape" + std::to_string(static_cast<int>(shape));
    batch.add(name, nulls ? with_some_nulls(values, random) : std::move(values));
  }
  return batch;
}

std::map<std::string, std::string> data_files(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder + "/data")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    files["data/" + entry.path().parent_path().filename().string() + "/" + entry.path().filename().string()] =
        std::move(bytes);
  }
  return files;
}

std::string_view text_of(const Buffer& buffer, size_t bytes) { return as_text(buffer.span(0, bytes)); }

}  // namespace

std::string damage_folder() {
  const std::string memory = "/dev/shm";
  const std::string parent =
      access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path().string();
  return parent + "/stela-damage-" + std::to_string(getpid());
}

// Encodings that only pages of the usual size have.
Status DamagedStore::write_large_pages(Store& store, std::mt19937_64& random) {
  Batch sparse, large, skewed;
  ColumnData marks(DataType::of(TypeKind::kBool)), texts(DataType::of(TypeKind::kUtf8));
  ColumnData bytes(DataType::of(TypeKind::kUInt8));
  for (int row = 0; row < 90000; ++row) bytes.append_value(static_cast<uint8_t>(random() % 20 * (random() % 2)));
  for (int row = 0; row < 150000; ++row) marks.append_value<uint8_t>(random() % 100 == 0);
  for (int row = 0; row < 600; ++row) {
    std::string text;
    while (text.size() < 400) text += "the " + std::to_string(random() % 1000) + "th word of a long remark; ";
    texts.append_text(text);
  }
  sparse.add("v", ColumnData(marks)).add("w", std::move(marks));  // one alone would be a plain file
  STELA_TRY(add_dataset(store, "/sparse", std::move(sparse), false));
  large.add("v", std::move(texts));
  STELA_TRY(add_dataset(store, "/large", std::move(large), false));
  skewed.add("v", ColumnData(bytes)).add("w", std::move(bytes));
  STELA_TRY(add_dataset(store, "/skewed", std::move(skewed), true));
  datasets_.push_back({"/skewed", {}, {}, {}, {}});
  datasets_.push_back({"/sparse", {}, {}, {}, {}});
  datasets_.push_back({"/large", {}, {}, {}, {}});
  return {};
}

Status DamagedStore::write_datasets(const std::string& folder, uint64_t seed) {
  std::mt19937_64 random(seed);
  STELA_ASSIGN(auto store, Store::create(posix_env(folder), small_pages()));
  for (const char* type : kTypes) {
    for (bool cold : {false, true}) {
      const std::string path = std::string("/") + (cold ? "cold" : "light") + std::to_string(datasets_.size());
      STELA_TRY(add_dataset(*store, path, shapes_of(type, random() % 2 == 0, random), cold));
      datasets_.push_back({path, {}, {}, {}, {}});
    }
  }
  auto add = [&](const char* path, const char* type, uint64_t rows, Shape shape, bool cold) {
    Batch batch;
    batch.add("v", format::shaped_column(*DataType::parse(type), rows, shape, random));
    datasets_.push_back({path, {}, {}, {}, {}});
    return add_dataset(*store, path, std::move(batch), cold);
  };
  STELA_TRY(add("/flat8", "float64", 20'000, Shape::kRandom, false));  // three extents of a plain file
  STELA_TRY(add("/flat4", "int32", 5'000, Shape::kRandom, false));
  STELA_TRY(add("/echoes", "binary", 2, Shape::kEchoes, true));
  STELA_TRY(add("/pages", "int64", 150'000, Shape::kSmall, true));  // cold, and more than a page
  STELA_TRY(store->maintain(true));
  STELA_TRY(store->close());
  StoreOptions options = small_pages();
  options.page_bytes = StoreOptions().page_bytes;
  store.reset();
  STELA_ASSIGN(store, Store::open(posix_env(folder), options));
  STELA_TRY(write_large_pages(*store, random));
  return store->close();
}

std::string DamagedStore::make(const std::string& folder, uint64_t seed) {
  folder_ = folder + "/store";
  random_ = std::make_unique<SeededRandom>(seed);
  const std::string other = folder + "/earlier";
  for (const std::string& made : {other, folder_}) {
    std::filesystem::create_directories(made);
    datasets_.clear();
    const Status status = write_datasets(made, made == other ? seed + 1 : seed);
    if (!status.ok()) return status.message();
  }
  whole_ = data_files(folder_);
  earlier_ = data_files(other);
  for (Dataset& dataset : datasets_) {
    const Status status = learn(dataset);
    if (!status.ok()) return dataset.path + ": " + status.message();
  }
  return {};
}

// Where its values lie, and what its files are.
Status DamagedStore::learn(Dataset& dataset) {
  StoreOptions options = small_pages();
  options.read_only = true;
  STELA_ASSIGN(auto store, Store::open(posix_env(folder_), options));
  STELA_ASSIGN(Table table, store->table(dataset.path));
  STELA_ASSIGN(Snapshot head, table.head());
  STELA_ASSIGN(const std::vector<ColumnInfo> columns, head.columns());
  std::set<std::string> files;
  for (const ColumnInfo& column : columns) {
    STELA_ASSIGN(const std::vector<Snapshot::Piece> pieces, head.pieces(column));
    for (const Snapshot::Piece& piece : pieces) {
      const std::string file = piece.where.substr(0, piece.where.find('@'));
      if (!whole_.contains(file)) return invalid("a piece lies in " + piece.where);
      files.insert(file);
      for (const format::PageInfo& page : piece.pages) {
        if (!file.ends_with(".flat")) encodings_.insert(page.encoding);
        if (page.bytes > 0) dataset.pages.push_back({file, page.offset, page.bytes});
      }
    }
  }
  STELA_ASSIGN(auto tree, Tree::create(*store, {.read_only = true, .daemon_log = "none"}));
  TreeWalk walk(*tree, {});
  STELA_ASSIGN(const EntryReply folder, walk.resolve(dataset.path));
  STELA_ASSIGN(const std::vector<DirectoryEntry> entries, walk.list(folder.node));
  for (const DirectoryEntry& entry : entries) {
    const std::string path = dataset.path + "/" + entry.name;
    STELA_ASSIGN(dataset.views[path], walk.read_text(path));
    STELA_ASSIGN(const EntryReply node, walk.resolve(path));
    STELA_ASSIGN(const OpenReply open, tree->open(node.node, O_RDONLY, {}));
    if (open.serving == Serving::kPassthrough) dataset.passthrough.insert(path);
    tree->release(open.handle);
  }
  plain_files_ += dataset.passthrough.size();
  dataset.files.assign(files.begin(), files.end());
  // Where plain files are described.
  if (!dataset.passthrough.empty()) {
    for (const auto& [name, bytes] : whole_) {
      if (name.ends_with(".frag") && bytes.size() < kPieceBytes && !files.contains(name)) dataset.files.push_back(name);
    }
  }
  return {};
}

std::string DamagedStore::look_at_passthrough(const OpenReply& open, const std::string& path,
                                              const std::string& expected) {
  Buffer buffer(expected.size() + 1);
  const ssize_t count = pread(open.backing_fd, buffer.data(), buffer.size(), 0);
  const bool right = count == static_cast<ssize_t>(expected.size()) && text_of(buffer, expected.size()) == expected;
  return right ? "" : path + " is damaged and was handed to the kernel";
}

// Every part of it, as large reads and as a few small ones.
std::string DamagedStore::look_at_view(Tree& tree, const Dataset& dataset, const std::string& path,
                                       const std::string& expected, Look* seen) {
  auto is_eio = [&](const Status& status) {
    ++seen->errors;
    return errno_of(status.code()) == EIO ? "" : path + " gives another error than EIO: " + status.message();
  };
  TreeWalk walk(tree, {});
  Result<EntryReply> entry = walk.resolve(path);
  if (!entry.ok()) return is_eio(entry.status());
  Result<AttributesReply> attributes = tree.get_attributes(entry->node, 0, {});
  if (!attributes.ok()) return is_eio(attributes.status());
  if (attributes->attributes.size != expected.size()) return path + " has another size";
  Result<OpenReply> open = tree.open(entry->node, O_RDONLY, {});
  if (!open.ok()) return is_eio(open.status());
  std::string wrong;
  if (open->serving == Serving::kPassthrough) {
    wrong = look_at_passthrough(*open, path, expected);
  } else if (dataset.passthrough.contains(path)) {
    ++seen->refused;
  }
  Buffer buffer(kPieceBytes);
  auto read = [&](uint64_t offset, uint64_t bytes) {
    const uint64_t there = std::min<uint64_t>(bytes, expected.size() - offset);
    Result<size_t> count = tree.read(open->handle, offset, {buffer.data(), static_cast<size_t>(bytes)});
    if (!count.ok()) {
      if (wrong.empty()) wrong = is_eio(count.status());
    } else if (*count != there || text_of(buffer, there) != std::string_view(expected).substr(offset, there)) {
      wrong = path + " gives wrong bytes at " + std::to_string(offset) + " +" + std::to_string(bytes);
    }
  };
  for (int i = 0; i < 2 && !expected.empty(); ++i) read(random_->below(expected.size()), 1 + random_->below(64));
  for (uint64_t offset = 0; offset < expected.size() && wrong.empty(); offset += kPieceBytes) read(offset, kPieceBytes);
  for (int i = 0; i < 2 && !expected.empty(); ++i) read(random_->below(expected.size()), 1 + random_->below(64));
  tree.release(open->handle);
  return wrong;
}

// With a store and a tree that remember nothing; half of the files, or all.
Status DamagedStore::look(const Dataset& dataset, bool all, Look* seen, std::string* wrong) {
  StoreOptions options = small_pages();
  options.read_only = true;
  STELA_ASSIGN(auto store, Store::open(posix_env(folder_), options));
  STELA_ASSIGN(auto tree, Tree::create(*store, {.read_only = true, .daemon_log = "none"}));
  for (const auto& [path, expected] : dataset.views) {
    if (!all && random_->coin()) continue;
    *wrong = look_at_view(*tree, dataset, path, expected, seen);
    if (!wrong->empty()) break;
  }
  return {};
}

void DamagedStore::change(const std::string& file, uint64_t offset, std::string bytes) {
  const int fd = open((folder_ + "/" + file).c_str(), O_WRONLY | O_CLOEXEC);
  if (pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes.size())) {
    changed_.insert(file);
  }
  close(fd);
}

void DamagedStore::repair() {
  for (const std::string& file : changed_) {
    const std::string& bytes = whole_[file];
    std::ofstream(folder_ + "/" + file, std::ios::binary) << bytes;
  }
  changed_.clear();
}

std::string DamagedStore::flip(const Dataset& dataset) {
  const std::string& file = dataset.files[random_->below(dataset.files.size())];
  const std::string& bytes = whole_[file];
  const uint64_t at = random_->below(bytes.size());
  change(file, at, std::string(1, static_cast<char>(bytes[at] ^ (1 << random_->below(8)))));
  return file + ": a bit of byte " + std::to_string(at);
}

// Of two pages, also of different lengths, the part that both have; or two blocks of a disk.
std::string DamagedStore::swap(const Dataset& dataset) {
  Range a = dataset.pages[random_->below(dataset.pages.size())];
  const Dataset& others = random_->coin() ? dataset : datasets_[random_->below(datasets_.size())];
  Range b = others.pages[random_->below(others.pages.size())];
  if (random_->below(4) == 0) {
    for (Range* range : {&a, &b}) {
      range->offset = random_->below(whole_[range->file].size()) / kBlockBytes * kBlockBytes;
      range->bytes = std::min<uint64_t>(kBlockBytes, whole_[range->file].size() - range->offset);
    }
  }
  const uint64_t bytes = std::min(a.bytes, b.bytes);
  const std::string of_a = whole_[a.file].substr(a.offset, bytes), of_b = whole_[b.file].substr(b.offset, bytes);
  const bool overlap = a.file == b.file && std::max(a.offset, b.offset) - std::min(a.offset, b.offset) < bytes;
  if (overlap || of_a == of_b) return {};
  change(a.file, a.offset, of_b);
  change(b.file, b.offset, of_a);
  return a.file + " at " + std::to_string(a.offset) + " and " + b.file + " at " + std::to_string(b.offset) + ", " +
         std::to_string(bytes) + " bytes";
}

std::string DamagedStore::cut(const Dataset& dataset) {
  const std::string& file = dataset.files[random_->below(dataset.files.size())];
  const uint64_t size = random_->below(whole_[file].size());
  if (truncate((folder_ + "/" + file).c_str(), static_cast<off_t>(size)) != 0) return {};
  changed_.insert(file);
  return file + " cut to " + std::to_string(size);
}

// What lay there before: of the same file of another store, of another file of this one, or nothing.
std::string DamagedStore::put_stale(const Dataset& dataset) {
  Range place = dataset.pages[random_->below(dataset.pages.size())];
  if (random_->coin()) {
    place.file = dataset.files[random_->below(dataset.files.size())];
    place.offset = random_->below(whole_[place.file].size()) / kBlockBytes * kBlockBytes;
    place.bytes = std::min<uint64_t>(kBlockBytes << random_->below(4), whole_[place.file].size() - place.offset);
  }
  std::string stale;
  switch (random_->below(4)) {
    case 0: break;
    case 1: {
      auto other = whole_.begin();
      std::advance(other, random_->below(whole_.size()));
      stale = other->second;
      break;
    }
    default: stale = earlier_.contains(place.file) ? earlier_[place.file] : "";
  }
  stale.resize(std::max<size_t>(stale.size(), place.offset + place.bytes), '\0');
  stale = stale.substr(place.offset, place.bytes);
  if (stale == whole_[place.file].substr(place.offset, place.bytes)) return {};
  change(place.file, place.offset, stale);
  return place.file + ": " + std::to_string(place.bytes) + " old bytes at " + std::to_string(place.offset);
}

std::string DamagedStore::apply(const Dataset& dataset, DamageKind kind) {
  switch (kind) {
    case DamageKind::kFlip: return flip(dataset);
    case DamageKind::kSwap: return swap(dataset);
    case DamageKind::kCut: return cut(dataset);
    case DamageKind::kStale: return put_stale(dataset);
  }
  return {};
}

std::string DamagedStore::damage_once() {
  constexpr DamageKind kTurns[] = {DamageKind::kFlip, DamageKind::kSwap, DamageKind::kFlip,
                                   DamageKind::kCut,  DamageKind::kFlip, DamageKind::kStale};
  const DamageKind kind = kTurns[done_ % std::size(kTurns)];
  const Dataset* dataset = nullptr;
  std::string done;
  while (done.empty()) {
    dataset = &datasets_[random_->below(datasets_.size())];
    done = apply(*dataset, kind);
  }
  Look seen;
  std::string wrong;
  Status status = look(*dataset, false, &seen, &wrong);
  repair();
  if (!status.ok()) wrong = "the store cannot be opened: " + status.message();
  if (!wrong.empty()) return done + ": " + wrong;
  Counts& counts = counts_[static_cast<size_t>(kind)];
  ++counts.damages;
  counts.noticed += seen.errors > 0;
  counts.passthrough_refused += seen.refused;
  if (++done_ % kRepairsLookedAt != 0) return {};
  Look after;
  status = look(*dataset, true, &after, &wrong);
  const bool right = status.ok() && wrong.empty() && after.errors + after.refused == 0;
  return right ? "" : done + " was repaired, and reads are wrong: " + wrong;
}

}  // namespace stela::fsd
