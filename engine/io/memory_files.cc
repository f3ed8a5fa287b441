#include "engine/io/memory_files.h"

#include <algorithm>
#include <utility>

#include "engine/io/file_name.h"

namespace stela {

namespace {

constexpr uint64_t kMemoryFreeBytes = uint64_t{1} << 40;

class MemoryReader final : public FileReader {
 public:
  MemoryReader(std::string name, std::shared_ptr<const Buffer> bytes)
      : name_(std::move(name)), bytes_(std::move(bytes)) {}

  Status read(std::span<const ReadRange> ranges) override {
    for (const ReadRange& range : ranges) {
      if (range.offset > bytes_->size() || range.into.size() > bytes_->size() - range.offset) {
        return damaged(name_ + ": read of " + std::to_string(range.into.size()) + " bytes at offset " +
                       std::to_string(range.offset) + " passes its end at " + std::to_string(bytes_->size()));
      }
      if (!range.into.empty()) std::memcpy(range.into.data(), bytes_->data() + range.offset, range.into.size());
    }
    return {};
  }
  uint64_t size() const override { return bytes_->size(); }

 private:
  std::string name_;
  std::shared_ptr<const Buffer> bytes_;
};

class MemoryWriter final : public FileWriter {
 public:
  explicit MemoryWriter(std::string name) : name_(std::move(name)) {}

  Status append(ByteSpan bytes) override {
    if (finished_) return invalid(name_ + " is finished and takes no more bytes");
    bytes_->append(bytes);
    return {};
  }
  Status fill_head(ByteSpan bytes) override {
    if (finished_ || head_filled_) return invalid(name_ + ": the head can be filled once, before finish");
    if (bytes.size() > bytes_->size()) return invalid(name_ + ": the head is longer than the file");
    if (!bytes.empty()) std::memcpy(bytes_->data(), bytes.data(), bytes.size());
    head_filled_ = true;
    return {};
  }
  uint64_t size() const override { return bytes_->size(); }
  Status read_back(uint64_t offset, MutableByteSpan into) override {
    ReadRange range{offset, into};
    return MemoryReader(name_, bytes_).read({&range, 1});
  }

  const std::string& name() const { return name_; }
  bool finished() const { return finished_; }
  std::shared_ptr<const Buffer> take() {
    finished_ = true;
    return bytes_;
  }

 private:
  std::string name_;
  std::shared_ptr<Buffer> bytes_ = std::make_shared<Buffer>();
  bool head_filled_ = false;
  bool finished_ = false;
};

class MemoryScratch final : public ScratchFile {
 public:
  Status write(uint64_t offset, ByteSpan bytes) override {
    if (bytes.size() > SIZE_MAX - offset) return {Code::kLimit, "scratch file: the offset is too large"};
    if (bytes.empty()) return {};
    if (offset + bytes.size() > bytes_.size()) STELA_TRY(truncate(offset + bytes.size()));
    std::memcpy(bytes_.data() + offset, bytes.data(), bytes.size());
    return {};
  }
  Status read(uint64_t offset, MutableByteSpan into) override {
    size_t present = offset < bytes_.size() ? std::min<size_t>(into.size(), bytes_.size() - offset) : 0;
    if (present > 0) std::memcpy(into.data(), bytes_.data() + offset, present);
    std::fill(into.begin() + static_cast<ptrdiff_t>(present), into.end(), std::byte{0});
    return {};
  }
  Status truncate(uint64_t size) override {
    if (size > bytes_.size()) {
      bytes_.append_zeros(size - bytes_.size());
    } else {
      bytes_.resize(size);
    }
    return {};
  }
  uint64_t size() const override { return bytes_.size(); }

 private:
  Buffer bytes_;
};

class MemoryFiles final : public Files {
 public:
  explicit MemoryFiles(std::shared_ptr<MemoryState> state) : state_(std::move(state)) {}

  Result<std::unique_ptr<FileWriter>> create(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    std::lock_guard lock(state_->mutex);
    STELA_TRY(check_free(name));
    STELA_TRY(make_folders(name));
    return std::unique_ptr<FileWriter>(std::make_unique<MemoryWriter>(name));
  }

  Status finish(std::span<FileWriter* const> writers) override {
    std::lock_guard lock(state_->mutex);
    for (FileWriter* each : writers) {
      auto* writer = dynamic_cast<MemoryWriter*>(each);
      if (writer == nullptr || writer->finished()) return invalid("finish of a writer that is not open here");
      STELA_TRY(check_free(writer->name()));
      state_->files[writer->name()] = writer->take();
    }
    return {};
  }

  Result<std::shared_ptr<FileReader>> open(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    std::lock_guard lock(state_->mutex);
    auto found = state_->files.find(name);
    if (found == state_->files.end()) return absent(name);
    return std::shared_ptr<FileReader>(std::make_shared<MemoryReader>(name, found->second));
  }

  Status put_if_absent(const std::string& name, ByteSpan bytes) override {
    STELA_TRY(check_file_name(name));
    std::lock_guard lock(state_->mutex);
    STELA_TRY(check_free(name));
    STELA_TRY(make_folders(name));
    state_->files[name] = std::make_shared<const Buffer>(bytes);
    return {};
  }

  Status remove(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    std::lock_guard lock(state_->mutex);
    return state_->files.erase(name) > 0 ? Status() : absent(name);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    STELA_TRY(check_folder_name(folder));
    std::lock_guard lock(state_->mutex);
    if (state_->files.contains(folder)) return Status(Code::kNotDirectory, folder + " is a file, not a folder");
    std::vector<std::string> names;
    std::string prefix = folder.empty() ? "" : folder + "/";
    for (auto at = state_->files.lower_bound(prefix); at != state_->files.end() && at->first.starts_with(prefix);
         ++at) {
      if (folder_of(at->first) == folder) names.emplace_back(last_component(at->first));
    }
    for (const std::string& each : state_->folders) {
      if (folder_of(each) == folder) names.push_back(std::string(last_component(each)) + "/");
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<uint64_t> free_space() override { return kMemoryFreeBytes; }
  Result<std::unique_ptr<ScratchFile>> scratch() override { return make_memory_scratch(); }

 private:
  Status check_free(const std::string& name) const {
    if (!state_->files.contains(name) && !state_->folders.contains(name)) return {};
    return {Code::kExists, name + " exists already"};
  }
  Status absent(const std::string& name) const {
    if (state_->folders.contains(name)) return {Code::kIsDirectory, name + " is a folder"};
    return not_found(name + " does not exist");
  }
  Status make_folders(const std::string& name) {
    for (std::string_view folder = folder_of(name); !folder.empty(); folder = folder_of(folder)) {
      std::string path(folder);
      if (state_->files.contains(path)) return {Code::kNotDirectory, path + " is a file, not a folder"};
      state_->folders.insert(std::move(path));
    }
    return {};
  }

  std::shared_ptr<MemoryState> state_;
};

}  // namespace

std::unique_ptr<Files> make_memory_files(std::shared_ptr<MemoryState> state) {
  return std::make_unique<MemoryFiles>(std::move(state));
}

std::unique_ptr<ScratchFile> make_memory_scratch() { return std::make_unique<MemoryScratch>(); }

}  // namespace stela
