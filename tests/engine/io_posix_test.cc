// What only a real directory can show: locks between processes, links that lead out, leftovers, descriptors.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/io/posix_env.h"
#include "tests/engine/io_env_cases.h"

namespace stela {
namespace {

namespace fs = std::filesystem;

class PosixEnvTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "stela-posix-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    store_ = base_ + "/store";
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(base_, ignored);
  }

  std::string base_;
  std::string store_;
};

TEST_F(PosixEnvTest, DirectoryIsMadePrivate) {
  ASSERT_TRUE(open_posix_env(store_).ok());
  struct stat found = {};
  ASSERT_EQ(::stat(store_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0700u);
}

TEST_F(PosixEnvTest, AbsentDirectoryIsNamedInTheError) {
  auto opened = open_posix_env(store_, {.create_directory = false});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.status().code(), Code::kNotFound);
  EXPECT_NE(opened.status().message().find(store_), std::string::npos);
  auto deep = posix_env(base_ + "/absent/store");
  EXPECT_EQ(deep->files().open("STELA").status().code(), Code::kNotFound);
  EXPECT_EQ(deep->files().create("STELA").status().code(), Code::kNotFound);
  EXPECT_EQ(deep->files().list("").status().code(), Code::kNotFound);
  EXPECT_EQ(deep->files().remove("STELA").code(), Code::kNotFound);
  EXPECT_FALSE(deep->files().free_space().ok());
  EXPECT_FALSE(deep->files().scratch().ok());
  EXPECT_FALSE(deep->open_log(kLogBlock).ok());
  EXPECT_FALSE(deep->acquire_lease("x").ok());
}

TEST_F(PosixEnvTest, BlocksOfZerosAreHolesAndReadAsTheyWereWritten) {
  constexpr uint64_t kZeros = 40 << 20;
  auto env = open_posix_env(store_).value();
  for (const std::string end : {"", "end"}) {
    const std::string name = "zeros" + end;
    auto writer = env->files().create(name).value();
    writer->leave_holes();
    ASSERT_TRUE(writer->append(as_bytes("header")).ok());
    const std::string zeros(1 << 20, '\0');
    for (uint64_t done = 0; done < kZeros; done += zeros.size()) ASSERT_TRUE(writer->append(as_bytes(zeros)).ok());
    std::string back(300'000, 'x');
    MutableByteSpan into = std::as_writable_bytes(std::span(back));
    ASSERT_TRUE(writer->read_back(kZeros - into.size(), into).ok());
    EXPECT_EQ(back, std::string(back.size(), '\0'));
    ASSERT_TRUE(writer->append(as_bytes(end)).ok());
    FileWriter* const writers[] = {writer.get()};
    ASSERT_TRUE(env->files().finish(writers).ok());
    struct stat found = {};
    ASSERT_EQ(::stat((store_ + "/" + name).c_str(), &found), 0);
    EXPECT_EQ(static_cast<uint64_t>(found.st_size), 6 + kZeros + end.size());
    EXPECT_LE(found.st_blocks * 512, 256 << 10);
    std::string whole(6 + kZeros + end.size(), 'x');
    std::ifstream(store_ + "/" + name, std::ios::binary).read(whole.data(), static_cast<std::streamsize>(whole.size()));
    EXPECT_TRUE(whole == "header" + std::string(kZeros, '\0') + end);
  }
}

// Commits are written into blocks that are there, and removals find room on a full disk.
TEST_F(PosixEnvTest, ZerosOfTheLogAndOfOtherFilesTakeTheirRoom) {
  constexpr uint64_t kBytes = 1 << 20;
  auto env = open_posix_env(store_).value();
  auto log = env->open_log(kBytes).value();
  ASSERT_TRUE(log->prepare(0).ok());
  auto writer = env->files().create("reserve").value();
  ASSERT_TRUE(writer->append(as_bytes(std::string(kBytes, '\0'))).ok());
  FileWriter* const writers[] = {writer.get()};
  ASSERT_TRUE(env->files().finish(writers).ok());
  for (const char* name : {"/log/0", "/reserve"}) {
    struct stat found = {};
    ASSERT_EQ(::stat((store_ + name).c_str(), &found), 0);
    EXPECT_EQ(static_cast<uint64_t>(found.st_size), kBytes) << name;
    EXPECT_GE(static_cast<uint64_t>(found.st_blocks) * 512, kBytes) << name;
  }
}

TEST_F(PosixEnvTest, LinksThatLeadOutAreNotFollowed) {
  std::ofstream(base_ + "/secret") << "secret";
  fs::create_directory(base_ + "/outside");
  for (bool use_openat2 : {true, false}) {
    auto env = open_posix_env(store_, {.use_openat2 = use_openat2}).value();
    std::error_code ignored;
    fs::create_symlink("../secret", store_ + "/out", ignored);
    fs::create_symlink(base_ + "/secret", store_ + "/absolute", ignored);
    EXPECT_FALSE(env->files().open("out").ok());
    EXPECT_FALSE(env->files().open("absolute").ok());
    if (!use_openat2) continue;
    fs::create_directory_symlink("../outside", store_ + "/data", ignored);
    EXPECT_FALSE(env->files().put_if_absent("data/1", as_bytes("x")).ok());
    EXPECT_TRUE(fs::is_empty(base_ + "/outside"));
  }
}

TEST_F(PosixEnvTest, SpecialFilesAreNotOpened) {
  auto env = open_posix_env(store_).value();
  ASSERT_EQ(::mkfifo((store_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(env->files().open("pipe").status().code(), Code::kDamaged);
  EXPECT_EQ(env->files().list("").value(), std::vector<std::string>{});
}

TEST_F(PosixEnvTest, ReaderHasADescriptorAndAFingerprintThatFollowsTheFile) {
  auto env = open_posix_env(store_).value();
  ASSERT_TRUE(env->files().put_if_absent("data/0/1.flat", as_bytes("0123456789")).ok());
  auto reader = env->files().open("data/0/1.flat").value();
  char byte = 0;
  ASSERT_EQ(::pread(reader->native_fd(), &byte, 1, 4), 1);
  EXPECT_EQ(byte, '4');
  std::string before = reader->fingerprint();
  EXPECT_EQ(env->files().open("data/0/1.flat").value()->fingerprint(), before);
  fs::resize_file(store_ + "/data/0/1.flat", 5);
  EXPECT_NE(reader->fingerprint(), before);
  Buffer into(10);
  Status short_read = reader->read_at(0, into.span());
  EXPECT_EQ(short_read.code(), Code::kDamaged) << "the file shrank behind the reader";
}

TEST_F(PosixEnvTest, FilesArePrivateAndUnfinishedOnesHaveNoName) {
  auto env = open_posix_env(store_).value();
  auto writer = env->files().create("data/0/1.frag").value();
  ASSERT_TRUE(writer->append(pattern_bytes(1'000'000, 1).span()).ok());
  EXPECT_TRUE(fs::is_empty(store_ + "/data/0"));
  FileWriter* one = writer.get();
  ASSERT_TRUE(env->files().finish({&one, 1}).ok());
  struct stat found = {};
  ASSERT_EQ(::stat((store_ + "/data/0/1.frag").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600u);
  EXPECT_EQ(found.st_nlink, 1u);
  EXPECT_EQ(found.st_size, 1'000'000);
}

TEST_F(PosixEnvTest, LeftoversWithoutTmpfileGoWithTheNextLease) {
  PosixOptions options{.use_tmpfile = false};
  auto env = open_posix_env(store_, options).value();
  auto writer = env->files().create("data/0/1.frag").value();
  ASSERT_TRUE(writer->append(as_bytes("abc")).ok());
  EXPECT_FALSE(fs::is_empty(store_ + "/scratch"));
  writer.reset();
  EXPECT_TRUE(fs::is_empty(store_ + "/scratch")) << "a discarded writer takes its file along";
  std::ofstream(store_ + "/scratch/deadbeef") << "left by a process that was killed";
  auto lease = env->acquire_lease("me");
  ASSERT_TRUE(lease.ok());
  EXPECT_TRUE(fs::is_empty(store_ + "/scratch"));
}

TEST_F(PosixEnvTest, LeaseOfAnotherProcessIsRespectedAndEndsWithIt) {
  int ready[2];
  int leave[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(leave), 0);
  ASSERT_TRUE(open_posix_env(store_).ok());
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(leave[1]);  // so that the read below ends should the parent die
    auto lease = posix_env(store_)->acquire_lease("pid 1234\non \x1b[31mhost");
    char answer = lease.ok() ? 'y' : 'n';
    bool told = ::write(ready[1], &answer, 1) == 1;
    char wait = 0;
    ssize_t ended = ::read(leave[0], &wait, 1);
    ::_exit(told && ended >= 0 ? 0 : 1);  // no destructor runs: the kernel ends the lock
  }
  ::close(leave[0]);
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  auto env = open_posix_env(store_).value();
  auto refused = env->acquire_lease("second");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kBusy);
  EXPECT_NE(refused.status().message().find("pid 1234 on  [31mhost"), std::string::npos) << refused.status().message();
  EXPECT_NE(refused.status().message().find(store_), std::string::npos) << refused.status().message();
  ::close(leave[1]);
  int ended = 0;
  ASSERT_EQ(::waitpid(child, &ended, 0), child);
  EXPECT_TRUE(env->acquire_lease("second").ok());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PosixEnvTest, LogSegmentOfAnotherSizeIsDamageWhenReadAndReplacedWhenRecycled) {
  auto env = open_posix_env(store_).value();
  {
    auto log = env->open_log(2 * kLogBlock).value();
    ASSERT_TRUE(log->prepare(0).ok());
  }
  std::ofstream(store_ + "/log/not-a-number") << "x";
  std::ofstream(store_ + "/log/007") << "x";
  auto log = env->open_log(4 * kLogBlock).value();
  EXPECT_EQ(log->segments().value(), std::vector<uint64_t>{0});
  Buffer block(kLogBlock);
  EXPECT_EQ(log->read(0, block.span()).code(), Code::kDamaged);
  EXPECT_EQ(log->append(0, block.span()).code(), Code::kDamaged);
  ASSERT_TRUE(log->prepare(1).ok());
  ASSERT_TRUE(log->release(4 * kLogBlock, 4).ok());
  ASSERT_TRUE(log->prepare(2).ok());
  EXPECT_EQ(fs::file_size(store_ + "/log/2"), 4 * kLogBlock);
  EXPECT_EQ(log->segments().value(), (std::vector<uint64_t>{1, 2}));
}

TEST_F(PosixEnvTest, RecycledSegmentKeepsItsInode) {
  auto env = open_posix_env(store_).value();
  auto log = env->open_log(4 * kLogBlock).value();
  for (uint64_t n : {0, 1}) ASSERT_TRUE(log->prepare(n).ok());
  struct stat before = {};
  ASSERT_EQ(::stat((store_ + "/log/0").c_str(), &before), 0);
  ASSERT_TRUE(log->release(4 * kLogBlock, 1).ok());
  ASSERT_TRUE(log->prepare(2).ok());
  struct stat after = {};
  ASSERT_EQ(::stat((store_ + "/log/2").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(PosixEnvTest, DescriptorsAreNotLeaked) {
  auto count = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
  auto before = count();
  {
    auto env = open_posix_env(store_).value();
    for (int i = 0; i < 50; ++i) {
      std::string name = "data/0/" + std::to_string(i) + ".frag";
      ASSERT_TRUE(env->files().put_if_absent(name, as_bytes("x")).ok());
      ASSERT_TRUE(env->files().open(name).ok());
      ASSERT_TRUE(env->files().list("data/0").ok());
      ASSERT_TRUE(env->files().scratch().ok());
      ASSERT_TRUE(env->acquire_lease("me").ok());
    }
    auto log = env->open_log(kLogBlock).value();
    for (uint64_t n = 0; n < 20; ++n) ASSERT_TRUE(log->prepare(n).ok());
    ASSERT_TRUE(log->release(20 * kLogBlock, 0).ok());
  }
  EXPECT_EQ(count(), before);
}

// Lets the process open `more` descriptors beyond those it has, until destroyed.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(lowest_free);
    rlimit limited = before_;
    limited.rlim_cur = static_cast<rlim_t>(lowest_free) + more;
    ::setrlimit(RLIMIT_NOFILE, &limited);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

TEST_F(PosixEnvTest, LackOfDescriptorsIsAnErrorThatPasses) {
  int refused = 0;
  for (rlim_t more = 0; more < 10; ++more) {
    auto env = open_posix_env(store_ + std::to_string(more)).value();
    auto log = env->open_log(2 * kLogBlock).value();
    Status put;
    Status prepared;
    Status recycled;
    {
      DescriptorLimit limit(more);
      put = env->files().put_if_absent("data/0/1.frag", as_bytes("abc"));
      prepared = log->prepare(0);
      if (prepared.ok()) prepared = log->release(2 * kLogBlock, 1);
      if (prepared.ok()) recycled = log->prepare(1);
    }
    for (const Status& each : {put, prepared, recycled}) {
      if (each.ok()) continue;
      ++refused;
      EXPECT_EQ(each.code(), Code::kTooManyFiles) << each.message();
    }
    if (!put.ok()) {
      EXPECT_EQ(env->files().open("data/0/1.frag").status().code(), Code::kNotFound) << more;
      EXPECT_TRUE(env->files().put_if_absent("data/0/1.frag", as_bytes("abc")).ok()) << more;
    }
    EXPECT_TRUE(log->prepare(1).ok()) << more;
    EXPECT_TRUE(log->append(2 * kLogBlock, pattern_bytes(kLogBlock, 1).span()).ok()) << more;
    EXPECT_TRUE(log->sync().ok()) << more;
    EXPECT_FALSE(fs::exists(store_ + std::to_string(more) + "/scratch")) << "O_TMPFILE was not given up for it";
  }
  EXPECT_GT(refused, 5);
}

TEST_F(PosixEnvTest, FileThatTheSystemRefusesToGrowIsDiscarded) {
  auto env = open_posix_env(store_).value();
  auto writer = env->files().create("data/0/1.frag").value();
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit limited = before;
  limited.rlim_cur = 400'000;
  ::setrlimit(RLIMIT_FSIZE, &limited);
  Status written = writer->append(pattern_bytes(1'000'000, 1).span());  // the system takes a part only
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  EXPECT_EQ(written.code(), Code::kLimit) << written.message();
  EXPECT_EQ(writer->append(as_bytes("more")).code(), Code::kLimit) << "there is a hole now";
  FileWriter* one = writer.get();
  EXPECT_FALSE(env->files().finish({&one, 1}).ok());
  EXPECT_EQ(env->files().list("data/0").value(), std::vector<std::string>{});
  EXPECT_TRUE(env->files().put_if_absent("data/0/1.frag", as_bytes("abc")).ok());
}

}  // namespace
}  // namespace stela
