// A tree over a store in memory, driven as the kernel would: names are looked up, lookups forgotten, an open
// that must be repeated is repeated.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/io/memory_env.h"
#include "engine/store/store.h"
#include "fsd/tree/processes.h"
#include "fsd/tree/tree_impl.h"

namespace stela::fsd {

// Threads 1..99 are processes of their own; 100..199 belong to process 100.
class FakeProcesses : public Processes {
 public:
  uint32_t thread_group(uint32_t thread) override { return thread >= 100 && thread < 200 ? 100 : thread; }
  ProcessState state(uint32_t thread) override {
    return {thread_group(thread), killed_.contains(thread), killed_.contains(thread) ? killed_[thread] : 0};
  }
  std::string user_name(uint32_t uid) override { return "user (" + std::to_string(uid) + ")"; }
  std::optional<uint64_t> open_flags(uint32_t) override { return open_flags_; }
  void say_creates_exclusively(std::optional<bool> says) {
    open_flags_ = says ? std::optional<uint64_t>(*says ? O_CREAT | O_EXCL : 0) : std::nullopt;
  }
  void kill(uint32_t thread, int signal) { killed_[thread] = signal; }

 private:
  std::map<uint32_t, int> killed_;
  std::optional<uint64_t> open_flags_;
};

class TreeTest : public ::testing::Test {
 protected:
  TreeTest() : env_(memory_env(7)) { options_.daemon_log = "none"; }
  void SetUp() override {
    auto store = Store::create(env_, {.background = false});
    ASSERT_TRUE(store.ok()) << store.status().message();
    store_ = std::move(*store);
    start();
  }
  void TearDown() override {
    tree_.reset();
    store_.reset();
  }
  void start() {
    auto processes = std::make_unique<FakeProcesses>();
    processes_ = processes.get();
    auto tree = create_tree(*store_, options_, std::move(processes));
    ASSERT_TRUE(tree.ok());
    tree_ = std::move(*tree);
  }
  void restart() {
    tree_.reset();
    start();
  }

  struct Place {
    uint64_t parent = 0;
    std::string name;
  };
  // The node of the directory that holds `path`, and the last name.
  Result<Place> parent_of(std::string_view path) {
    size_t slash = path.rfind('/');
    Place place{Tree::kRoot, std::string(path.substr(slash + 1))};
    if (slash == 0) return place;
    STELA_ASSIGN(EntryReply parent, look(path.substr(0, slash)));
    place.parent = parent.node;
    return place;
  }
  Result<EntryReply> look(std::string_view path) {
    if (path == "/") return EntryReply{.node = Tree::kRoot};
    STELA_ASSIGN(Place place, parent_of(path));
    return tree_->lookup(place.parent, place.name, me_);
  }
  Result<Attributes> stat(std::string_view path) {
    STELA_ASSIGN(EntryReply entry, look(path));
    STELA_ASSIGN(AttributesReply reply, tree_->get_attributes(entry.node, 0, me_));
    return reply.attributes;
  }
  // As open(2): O_CREAT makes the name when it is not there; one more lookup after ESTALE.
  Result<uint64_t> open(std::string_view path, uint32_t flags, uint32_t mode = 0644) {
    STELA_ASSIGN(Place place, parent_of(path));
    for (int attempt = 0;; attempt++) {
      auto entry = tree_->lookup(place.parent, place.name, me_);
      if (!entry.ok() && (entry.status().code() != Code::kNotFound || (flags & O_CREAT) == 0)) return entry.status();
      if (!entry.ok()) {
        STELA_ASSIGN(auto created, tree_->create_file(place.parent, place.name, mode, flags, me_));
        last_node_ = created.first.node;
        return created.second.handle;
      }
      auto opened = tree_->open(entry->node, flags, me_);
      last_node_ = entry->node;
      if (opened.ok()) {
        last_open_ = *opened;
        return opened->handle;
      }
      if (opened.status().code() != Code::kConflict || attempt == 1) return opened.status();
    }
  }
  Status write_at(uint64_t handle, uint64_t offset, std::string_view bytes) {
    STELA_ASSIGN(size_t count, tree_->write(handle, offset, as_bytes(bytes), me_));
    return count == bytes.size() ? Status() : invalid("short write");
  }
  // close(2): flush, then release.
  Status close(uint64_t handle) {
    Status status = tree_->flush(handle, me_);
    tree_->release(handle);
    return status;
  }
  // As `cp FILE path`.
  Status put(std::string_view path, std::string_view bytes) {
    STELA_ASSIGN(uint64_t handle, open(path, O_WRONLY | O_CREAT | O_TRUNC));
    Status status = write_at(handle, 0, bytes);
    Status closed = close(handle);
    return status.ok() ? closed : status;
  }
  Result<std::string> read_all(uint64_t handle) {
    std::string out, chunk(1000, '\0');
    for (;;) {
      STELA_ASSIGN(size_t count,
                   tree_->read(handle, out.size(), {reinterpret_cast<std::byte*>(chunk.data()), chunk.size()}));
      if (count == 0) return out;
      out.append(chunk, 0, count);
    }
  }
  Result<std::string> cat(std::string_view path) {
    STELA_ASSIGN(uint64_t handle, open(path, O_RDONLY));
    auto bytes = read_all(handle);
    tree_->release(handle);
    return bytes;
  }
  Result<std::vector<std::string>> list(std::string_view path) {
    STELA_ASSIGN(EntryReply entry, look(path));
    STELA_ASSIGN(uint64_t handle, tree_->open_directory(entry.node, me_));
    std::vector<std::string> names;
    Status status = tree_->read_directory(handle, 0, [&](const DirectoryEntry& item) {
      names.push_back(item.name);
      return true;
    });
    tree_->release_directory(handle);
    STELA_TRY(status);
    return names;
  }
  Status mkdir(std::string_view path, uint32_t mode = 0755) {
    STELA_ASSIGN(Place place, parent_of(path));
    return tree_->make_directory(place.parent, place.name, mode, me_).status();
  }
  Status unlink(std::string_view path) {
    STELA_ASSIGN(Place place, parent_of(path));
    STELA_TRY(tree_->lookup(place.parent, place.name, me_).status());
    return tree_->remove_file(place.parent, place.name, me_);
  }
  Status rmdir(std::string_view path) {
    STELA_ASSIGN(Place place, parent_of(path));
    return tree_->remove_directory(place.parent, place.name, me_);
  }
  Status move(std::string_view from, std::string_view to, uint32_t flags = 0) {
    STELA_ASSIGN(Place old_place, parent_of(from));
    STELA_ASSIGN(Place new_place, parent_of(to));
    return tree_->rename(old_place.parent, old_place.name, new_place.parent, new_place.name, flags, me_);
  }
  Status symlink(std::string_view target, std::string_view path) {
    STELA_ASSIGN(Place place, parent_of(path));
    return tree_->make_symlink(place.parent, place.name, target, me_).status();
  }
  Result<std::string> readlink(std::string_view path) {
    STELA_ASSIGN(EntryReply entry, look(path));
    return tree_->read_link(entry.node);
  }
  Result<std::string> xattr(std::string_view path, std::string_view name) {
    STELA_ASSIGN(EntryReply entry, look(path));
    return tree_->get_xattr(entry.node, name, me_);
  }
  std::string error_at(std::string_view path) {
    return xattr(path, "user.stela.error").ok() ? *xattr(path, "user.stela.error") : "";
  }
  Status chmod(std::string_view path, uint32_t mode) {
    STELA_ASSIGN(EntryReply entry, look(path));
    SetAttributes set;
    set.mode = mode;
    return tree_->set_attributes(entry.node, 0, set, me_).status();
  }
  Status utime(std::string_view path, int64_t mtime_ns) {
    STELA_ASSIGN(EntryReply entry, look(path));
    SetAttributes set;
    set.mtime_ns = mtime_ns;
    return tree_->set_attributes(entry.node, 0, set, me_).status();
  }
  uint64_t latest(std::string_view path) {
    auto table = store_->table(path);
    auto version = table.ok() ? table->latest() : Result<VersionNumber>(table.status());
    return version.ok() ? version->value : 0;
  }
  uint64_t rows(std::string_view path) {
    auto table = store_->table(path);
    auto head = table.ok() ? table->head() : Result<Snapshot>(table.status());
    return head.ok() ? head->rows() : 0;
  }
  // A dataset /trips with fare (float64, a null in row 1) and city (text), three rows, version 1.
  void make_trips() {
    ASSERT_TRUE(mkdir("/trips").ok());
    Status status = put("/trips/.append/day.csv", "fare,city\n1.5,NYC\n,LA\n2.5,SF\n");
    ASSERT_TRUE(status.ok()) << status.message();
  }

  std::shared_ptr<MemoryEnv> env_;
  TreeOptions options_;
  std::unique_ptr<Store> store_;
  FakeProcesses* processes_ = nullptr;
  std::unique_ptr<Tree> tree_;
  Caller me_{.uid = 1000, .gid = 1000, .pid = 1};
  uint64_t last_node_ = 0;
  OpenReply last_open_;
};

// The file np.save writes of a one-dimensional little-endian array.
template <typename T>
std::string npy_bytes(const char* descr, const std::vector<T>& values) {
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" +
                       std::to_string(values.size()) + ",), }";
  size_t total = (10 + header.size() + 1 + 63) / 64 * 64;
  header.append(total - 10 - header.size() - 1, ' ');
  header.push_back('\n');
  std::string out("\x93NUMPY\x01\x00", 8);
  out.push_back(static_cast<char>(header.size() & 255));
  out.push_back(static_cast<char>(header.size() >> 8));
  out += header;
  out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return out;
}

#define EXPECT_OK(expression) EXPECT_EQ("", message_of(expression)) << #expression
#define EXPECT_CODE(expected, expression) \
  EXPECT_EQ(static_cast<int>(expected), static_cast<int>(code_of(expression))) << #expression

inline std::string message_of(const Status& status) { return status.ok() ? "" : status.message(); }
template <typename T>
std::string message_of(const Result<T>& result) {
  return result.ok() ? "" : result.status().message();
}
inline Code code_of(const Status& status) { return status.code(); }
template <typename T>
Code code_of(const Result<T>& result) {
  return result.ok() ? Code::kOk : result.status().code();
}

}  // namespace stela::fsd
