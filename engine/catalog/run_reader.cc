#include "engine/catalog/catalog.h"
#include "engine/catalog/run_file.h"

namespace stela::catalog {

struct RunReader::Impl {
  explicit Impl(RunFile opened) : file(std::move(opened)) {
    const RunTrailer& trailer = file.trailer();
    info = {.file = file.id(),
            .bytes = file.file_bytes(),
            .entries = trailer.entries,
            .birth_min = trailer.birth_min,
            .birth_max = trailer.birth_max,
            .install_max = trailer.install_max};
  }
  ~Impl() { file.forget_cached(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  RunFile file;
  RunInfo info;
};

RunReader::RunReader(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
RunReader::~RunReader() = default;

Result<std::shared_ptr<const RunReader>> RunReader::open(std::shared_ptr<FileReader> file, FileId id, uint64_t store_id,
                                                         std::shared_ptr<BlockCache> cache) {
  STELA_ASSIGN(RunFile run, RunFile::open(std::move(file), id, store_id, std::move(cache)));
  return std::shared_ptr<const RunReader>(new RunReader(std::make_unique<const Impl>(std::move(run))));
}

const RunInfo& RunReader::info() const { return impl_->info; }

bool RunReader::may_contain(std::string_view key) const {
  BlockCursor top;
  top.open(impl_->file.top());
  top.seek({key});
  return filter_may_contain(impl_->file, top, key);
}

std::unique_ptr<EntryIterator> RunReader::iterator(Sequence from, Sequence to) const {
  return std::make_unique<RunIterator>(impl_->file, from, to);
}

Result<bool> RunReader::find(std::string_view key, Stamp stamp, FoundEntry* out) const {
  RunIterator entries(impl_->file, Sequence{0}, stamp.s);
  if (!entries.seek_filtered({key, stamp.s, kSequenceMax})) return false;
  while (entries.valid() && entries.key() == key) {
    if (entries.install() <= stamp.q) {
      *out = {entries.birth(), entries.install(), entries.erased(), entries.value(), entries.block()};
      return true;
    }
    entries.seek_position({key, entries.birth(), stamp.q});
  }
  STELA_TRY(entries.status());
  return false;
}

Status RunReader::verify(const std::function<void(const std::string&)>& damaged) const {
  return verify_run(impl_->file, damaged);
}

}  // namespace stela::catalog
