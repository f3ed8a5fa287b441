#include <set>
#include <utility>

#include "engine/io/fault_state.h"
#include "engine/io/file_name.h"

namespace stela {

namespace {

using StatePtr = std::shared_ptr<FaultState>;

class FaultReader final : public FileReader {
 public:
  FaultReader(StatePtr state, std::string name, SimulatedFilePtr file)
      : state_(std::move(state)), name_(std::move(name)), file_(std::move(file)), size_(file_->size()) {}

  Status read(std::span<const ReadRange> ranges) override {
    for (const ReadRange& range : ranges) {
      if (range.offset > size_ || range.into.size() > size_ - range.offset) {
        return damaged(name_ + ": read of " + std::to_string(range.into.size()) + " bytes at offset " +
                       std::to_string(range.offset) + " passes its end at " + std::to_string(size_));
      }
    }
    return state_->read_batch(*file_, name_, ranges);
  }
  uint64_t size() const override { return size_; }

 private:
  StatePtr state_;
  std::string name_;
  SimulatedFilePtr file_;
  uint64_t size_;
};

class FaultWriter final : public FileWriter {
 public:
  FaultWriter(StatePtr state, std::string name)
      : state_(std::move(state)), name_(std::move(name)), file_(state_->make_unnamed()) {}

  Status append(ByteSpan bytes) override {
    STELA_TRY(check_open());
    STELA_TRY(keep(state_->write(*file_, name_, size_, bytes, kind_of_file(name_))));
    size_ += bytes.size();
    return {};
  }
  Status fill_head(ByteSpan bytes) override {
    STELA_TRY(check_open());
    if (head_filled_) return invalid(name_ + ": the head can be filled only once");
    if (bytes.size() > size_) return invalid(name_ + ": the head is longer than the file");
    STELA_TRY(keep(state_->write(*file_, name_, 0, bytes, kind_of_file(name_))));
    head_filled_ = true;
    return {};
  }
  uint64_t size() const override { return size_; }
  Status read_back(uint64_t offset, MutableByteSpan into) override {
    if (offset > size_ || into.size() > size_ - offset) return damaged(name_ + ": a read passes what was written");
    return state_->read(*file_, name_, offset, into);
  }

  const std::string& name() const { return name_; }
  Status begin_finish() {
    STELA_TRY(check_open());
    finished_ = true;
    return {};
  }
  Status sync() { return state_->sync_file(*file_, name_, kind_of_file(name_)); }
  Status link() { return state_->link(file_, name_); }

 private:
  Status check_open() const {
    if (finished_) return invalid(name_ + " is finished and takes no more bytes");
    return failure_;
  }
  Status keep(Status status) {
    if (!status.ok()) failure_ = status;
    return status;
  }

  StatePtr state_;
  std::string name_;
  SimulatedFilePtr file_;
  uint64_t size_ = 0;
  bool head_filled_ = false;
  bool finished_ = false;
  Status failure_;
};

class FaultScratch final : public ScratchFile {
 public:
  explicit FaultScratch(StatePtr state) : state_(std::move(state)), file_(state_->make_unnamed()) {}

  Status write(uint64_t offset, ByteSpan bytes) override {
    if (bytes.empty()) return {};
    if (offset > kSizeMax || bytes.size() > kSizeMax - offset) return too_long();
    return state_->write(*file_, "scratch", offset, bytes, FileKind::kScratch);
  }
  Status read(uint64_t offset, MutableByteSpan into) override { return state_->read(*file_, "scratch", offset, into); }
  Status truncate(uint64_t size) override {
    return size > kSizeMax ? too_long() : state_->truncate_scratch(*file_, size);
  }
  uint64_t size() const override {
    std::lock_guard lock(state_->mutex);
    return file_->size();
  }

 private:
  // The table of blocks of a sparse file grows with its size.
  static constexpr uint64_t kSizeMax = uint64_t{1} << 32;
  static Status too_long() { return {Code::kLimit, "a simulated scratch file cannot be that long"}; }

  StatePtr state_;
  SimulatedFilePtr file_;
};

class FaultFiles final : public Files {
 public:
  explicit FaultFiles(StatePtr state) : state_(std::move(state)) {}

  Result<std::unique_ptr<FileWriter>> create(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    STELA_TRY(state_->create(name));
    return std::unique_ptr<FileWriter>(std::make_unique<FaultWriter>(state_, name));
  }

  Status finish(std::span<FileWriter* const> writers) override {
    std::vector<FaultWriter*> begun;
    for (FileWriter* each : writers) {
      auto* writer = dynamic_cast<FaultWriter*>(each);
      if (writer == nullptr) return invalid("finish of a writer that was not made here");
      STELA_TRY(writer->begin_finish());
      begun.push_back(writer);
    }
    for (FaultWriter* writer : begun) STELA_TRY(writer->sync());
    std::set<std::string> names;
    for (FaultWriter* writer : begun) {
      STELA_TRY(writer->link());
      names.insert(writer->name());
    }
    return state_->sync_folders_of(names);
  }

  Result<std::shared_ptr<FileReader>> open(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    STELA_ASSIGN(SimulatedFilePtr file, state_->open(name));
    return std::shared_ptr<FileReader>(std::make_shared<FaultReader>(state_, name, std::move(file)));
  }

  Status put_if_absent(const std::string& name, ByteSpan bytes) override {
    STELA_ASSIGN(auto writer, create(name));
    STELA_TRY(writer->append(bytes));
    FileWriter* one = writer.get();
    return finish({&one, 1});
  }

  Status remove(const std::string& name) override {
    STELA_TRY(check_file_name(name));
    return state_->remove(name);
  }

  Result<std::vector<std::string>> list(const std::string& folder) override {
    STELA_TRY(check_folder_name(folder));
    return state_->list(folder);
  }

  Result<uint64_t> free_space() override { return state_->free_space(); }

  Result<std::unique_ptr<ScratchFile>> scratch() override {
    STELA_TRY(state_->scratch());
    return std::unique_ptr<ScratchFile>(std::make_unique<FaultScratch>(state_));
  }

 private:
  StatePtr state_;
};

}  // namespace

std::unique_ptr<Files> make_fault_files(std::shared_ptr<FaultState> state) {
  return std::make_unique<FaultFiles>(std::move(state));
}

}  // namespace stela
