#include "engine/io/counting_env.h"

#include <utility>

namespace stela {

namespace {

using CountersPtr = std::shared_ptr<IoCounters>;

class CountingReader final : public FileReader {
 public:
  CountingReader(std::shared_ptr<FileReader> wrapped, CountersPtr counters, FileKind kind)
      : wrapped_(std::move(wrapped)), counters_(std::move(counters)), kind_(kind) {}

  Status read(std::span<const ReadRange> ranges) override {
    uint64_t bytes = 0;
    for (const ReadRange& range : ranges) bytes += range.into.size();
    counters_->add_read(kind_, bytes);
    return wrapped_->read(ranges);
  }
  uint64_t size() const override { return wrapped_->size(); }
  int native_fd() const override { return wrapped_->native_fd(); }
  std::string fingerprint() const override { return wrapped_->fingerprint(); }

 private:
  std::shared_ptr<FileReader> wrapped_;
  CountersPtr counters_;
  FileKind kind_;
};

class CountingWriter final : public FileWriter {
 public:
  CountingWriter(std::unique_ptr<FileWriter> wrapped, CountersPtr counters, FileKind kind)
      : wrapped_(std::move(wrapped)), counters_(std::move(counters)), kind_(kind) {}

  Status append(ByteSpan bytes) override {
    counters_->add_write(kind_, bytes.size());
    return wrapped_->append(bytes);
  }
  Status fill_head(ByteSpan bytes) override {
    counters_->add_write(kind_, bytes.size());
    return wrapped_->fill_head(bytes);
  }
  uint64_t size() const override { return wrapped_->size(); }
  void gather(size_t bytes) override { wrapped_->gather(bytes); }
  void leave_holes() override { wrapped_->leave_holes(); }
  Status read_back(uint64_t offset, MutableByteSpan into) override {
    counters_->add_read(kind_, into.size());
    return wrapped_->read_back(offset, into);
  }
  FileWriter* begin_finish() {
    counters_->add_sync(kind_);
    return wrapped_.get();
  }

 private:
  std::unique_ptr<FileWriter> wrapped_;
  CountersPtr counters_;
  FileKind kind_;
};

class CountingScratch final : public ScratchFile {
 public:
  CountingScratch(std::unique_ptr<ScratchFile> wrapped, CountersPtr counters)
      : wrapped_(std::move(wrapped)), counters_(std::move(counters)) {}

  Status write(uint64_t offset, ByteSpan bytes) override {
    counters_->add_write(FileKind::kScratch, bytes.size());
    return wrapped_->write(offset, bytes);
  }
  Status read(uint64_t offset, MutableByteSpan into) override {
    counters_->add_read(FileKind::kScratch, into.size());
    return wrapped_->read(offset, into);
  }
  Status truncate(uint64_t size) override { return wrapped_->truncate(size); }
  uint64_t size() const override { return wrapped_->size(); }
  int native_fd() const override { return wrapped_->native_fd(); }

 private:
  std::unique_ptr<ScratchFile> wrapped_;
  CountersPtr counters_;
};

class CountingFiles final : public Files {
 public:
  CountingFiles(Files& wrapped, CountersPtr counters) : wrapped_(wrapped), counters_(std::move(counters)) {}

  Result<std::unique_ptr<FileWriter>> create(const std::string& name) override {
    STELA_ASSIGN(auto writer, wrapped_.create(name));
    auto counting = std::make_unique<CountingWriter>(std::move(writer), counters_, kind_of_file(name));
    return std::unique_ptr<FileWriter>(std::move(counting));
  }
  Status finish(std::span<FileWriter* const> writers) override {
    std::vector<FileWriter*> inner;
    for (FileWriter* each : writers) {
      auto* writer = dynamic_cast<CountingWriter*>(each);
      if (writer == nullptr) return invalid("finish of a writer that was not made here");
      inner.push_back(writer->begin_finish());
    }
    return wrapped_.finish(inner);
  }
  Result<std::shared_ptr<FileReader>> open(const std::string& name) override {
    STELA_ASSIGN(auto reader, wrapped_.open(name));
    auto counting = std::make_shared<CountingReader>(std::move(reader), counters_, kind_of_file(name));
    return std::shared_ptr<FileReader>(std::move(counting));
  }
  Status put_if_absent(const std::string& name, ByteSpan bytes) override {
    counters_->add_write(kind_of_file(name), bytes.size());
    counters_->add_sync(kind_of_file(name));
    return wrapped_.put_if_absent(name, bytes);
  }
  Status remove(const std::string& name) override { return wrapped_.remove(name); }
  Result<std::vector<std::string>> list(const std::string& folder) override { return wrapped_.list(folder); }
  Result<uint64_t> free_space() override { return wrapped_.free_space(); }
  Result<std::unique_ptr<ScratchFile>> scratch() override {
    STELA_ASSIGN(auto scratch, wrapped_.scratch());
    return std::unique_ptr<ScratchFile>(std::make_unique<CountingScratch>(std::move(scratch), counters_));
  }

 private:
  Files& wrapped_;
  CountersPtr counters_;
};

class CountingLog final : public LogDevice {
 public:
  CountingLog(std::unique_ptr<LogDevice> wrapped, CountersPtr counters)
      : wrapped_(std::move(wrapped)), counters_(std::move(counters)) {}

  uint64_t segment_bytes() const override { return wrapped_->segment_bytes(); }
  Status append(uint64_t position, ByteSpan blocks) override {
    counters_->add_write(FileKind::kLog, blocks.size());
    return wrapped_->append(position, blocks);
  }
  Status sync() override {
    counters_->add_sync(FileKind::kLog);
    return wrapped_->sync();
  }
  Status read(uint64_t position, MutableByteSpan into) override {
    counters_->add_read(FileKind::kLog, into.size());
    return wrapped_->read(position, into);
  }
  Status prepare(uint64_t segment) override { return wrapped_->prepare(segment); }
  Status release(uint64_t position, uint32_t keep) override { return wrapped_->release(position, keep); }
  Result<std::vector<uint64_t>> segments() override { return wrapped_->segments(); }

 private:
  std::unique_ptr<LogDevice> wrapped_;
  CountersPtr counters_;
};

}  // namespace

CountingEnv::CountingEnv(std::shared_ptr<Env> wrapped)
    : wrapped_(std::move(wrapped)),
      counters_(std::make_shared<IoCounters>()),
      files_(std::make_unique<CountingFiles>(wrapped_->files(), counters_)) {}

CountingEnv::~CountingEnv() = default;

Result<std::unique_ptr<LogDevice>> CountingEnv::open_log(uint64_t segment_bytes) {
  STELA_ASSIGN(auto log, wrapped_->open_log(segment_bytes));
  return std::unique_ptr<LogDevice>(std::make_unique<CountingLog>(std::move(log), counters_));
}

Result<std::unique_ptr<Lease>> CountingEnv::acquire_lease(const std::string& text) {
  return wrapped_->acquire_lease(text);
}

}  // namespace stela
