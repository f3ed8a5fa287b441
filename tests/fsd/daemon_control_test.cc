// Control messages, and a server and a client over a real socket.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "fsd/daemon/control_client.h"
#include "fsd/daemon/control_message.h"
#include "fsd/daemon/control_server.h"

namespace stela::fsd {
namespace {

class Folder {
 public:
  Folder() {
    path_ = "/tmp/stela-control-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Folder() {
    unlink((path_ + "/control").c_str());
    rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

VerbRequest sample_request() {
  VerbRequest request;
  request.verb = "import";
  request.args = {"/tr\xff\xfeips", "", "caf\xc3\xa9\n\""};
  request.options["null"] = {"NA", "\xc0"};
  request.options["json"] = {};
  request.input_names = {"day\x80.csv"};
  return request;
}

TEST(ControlMessage, requests_of_any_bytes_come_back_as_they_went) {
  VerbRequest request = sample_request();
  std::string line = encode_request(request);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  Result<VerbRequest> back = decode_request(line);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->verb, request.verb);
  EXPECT_EQ(back->args, request.args);
  EXPECT_EQ(back->options, request.options);
  EXPECT_EQ(back->input_names, request.input_names);
}

TEST(ControlMessage, replies_come_back_as_they_went) {
  Result<ControlReply> progress = decode_reply(encode_reply({VerbProgress{"importing \xff", 1, ~0ull, 3}, {}}));
  ASSERT_TRUE(progress.ok() && progress->progress.has_value());
  EXPECT_EQ(progress->progress->what, "importing \xff");
  EXPECT_EQ(progress->progress->total, ~0ull);
  Result<ControlReply> outcome = decode_reply(encode_reply({std::nullopt, {1, "no: \xfe"}}));
  ASSERT_TRUE(outcome.ok());
  EXPECT_FALSE(outcome->progress.has_value());
  EXPECT_EQ(outcome->outcome.exit_code, 1);
  EXPECT_EQ(outcome->outcome.message, "no: \xfe");
}

TEST(ControlMessage, what_is_no_message_is_refused) {
  for (const char* line :
       {"", "{", "[]", "7", "{}", R"({"verb":7})", R"({"verb":"ls","args":7})", R"({"verb":"ls","args":[7]})",
        R"({"verb":"ls","options":[]})", R"({"verb":"ls","options":{"a":1}})"}) {
    EXPECT_FALSE(decode_request(line).ok()) << line;
  }
  std::string deep(100'000, '[');
  EXPECT_FALSE(decode_request(deep).ok());
  EXPECT_FALSE(decode_reply("{}").ok());
  EXPECT_FALSE(decode_reply(deep).ok());
}

TEST(ControlConnection, carries_lines_and_open_files) {
  int ends[2], pipe_ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
  auto left = std::make_unique<ControlConnection>(ends[0]);
  ControlConnection right(ends[1]);
  std::string long_line(300'000, 'x');
  std::thread sender([&] {
    EXPECT_TRUE(left->send_line("first", {pipe_ends[1]}).ok());
    EXPECT_TRUE(left->send_line(long_line).ok());
  });
  EXPECT_EQ(*right.receive_line(20'000), "first");
  EXPECT_EQ(*right.receive_line(20'000), long_line);
  sender.join();
  std::vector<int> received = right.take_descriptors();
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(write(received[0], "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(read(pipe_ends[0], &byte, 1), 1);
  for (int fd : {received[0], pipe_ends[0], pipe_ends[1]}) close(fd);
  EXPECT_EQ(right.receive_line(0).status().code(), Code::kDeadline);
  EXPECT_FALSE(left->send_line(std::string(kControlLineBytesMax, 'x')).ok());
  left.reset();
  EXPECT_TRUE(right.is_closed());
  EXPECT_EQ(right.receive_line(0).status().code(), Code::kNotFound);
}

class ControlServerTest : public testing::Test {
 protected:
  void start(uint32_t connections_max = 4) {
    ControlServerOptions options;
    options.store_directory = folder_.path();
    options.connections_max = connections_max;
    options.stop = [this] { stops_.fetch_add(1); };
    options.run = [this](const VerbRequest& request, const Caller& caller, int output, const std::vector<int>& inputs,
                         const ProgressFunction& progress) { return run(request, caller, output, inputs, progress); };
    Result<std::unique_ptr<ControlServer>> server = ControlServer::start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = std::move(server).value();
  }
  VerbOutcome run(const VerbRequest& request, const Caller& caller, int output, const std::vector<int>& inputs,
                  const ProgressFunction& progress) {
    EXPECT_EQ(caller.uid, geteuid());
    if (request.verb == "wait") {
      waiting_.store(true);
      while (progress({.what = "waiting"})) usleep(1000);
      waiting_.store(false);
      return {1, "cancelled"};
    }
    std::string text = request.args.at(0) + std::to_string(inputs.size());
    EXPECT_EQ(write(output, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    return {7, "seven"};
  }
  bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 20'000; ++i) {
      if (condition()) return true;
      usleep(1000);
    }
    return false;
  }

  Folder folder_;
  std::atomic<int> stops_{0};
  std::atomic<bool> waiting_{false};
  std::unique_ptr<ControlServer> server_;
};

TEST_F(ControlServerTest, runs_a_command_that_prints_into_the_callers_file) {
  start();
  auto connection = connect_control(folder_.path());
  ASSERT_TRUE(connection.ok()) << connection.status().message();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  VerbRequest request;
  request.verb = "say";
  request.args = {"hello"};
  Result<VerbOutcome> outcome = call_control(**connection, request, ends[1], {ends[0]}, {});
  ASSERT_TRUE(outcome.ok()) << outcome.status().message();
  EXPECT_EQ(outcome->exit_code, 7);
  EXPECT_EQ(outcome->message, "seven");
  char text[16] = {};
  EXPECT_EQ(read(ends[0], text, sizeof(text)), 6);
  EXPECT_STREQ(text, "hello1");
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ControlServerTest, a_caller_that_leaves_cancels_its_command) {
  start();
  auto connection = connect_control(folder_.path());
  ASSERT_TRUE(connection.ok());
  VerbRequest request;
  request.verb = "wait";
  ASSERT_TRUE((*connection)->send_line(encode_request(request), {STDERR_FILENO}).ok());
  ASSERT_TRUE(eventually([&] { return waiting_.load(); }));
  (*connection).reset();
  EXPECT_TRUE(eventually([&] { return !waiting_.load(); }));
}

TEST_F(ControlServerTest, the_end_cancels_what_runs_and_takes_the_socket_away) {
  start();
  auto connection = connect_control(folder_.path());
  VerbRequest request;
  request.verb = "wait";
  ASSERT_TRUE((*connection)->send_line(encode_request(request), {STDERR_FILENO}).ok());
  ASSERT_TRUE(eventually([&] { return waiting_.load(); }));
  server_->stop();
  EXPECT_FALSE(waiting_.load());
  EXPECT_EQ(connect_control(folder_.path()).status().code(), Code::kNotFound);
}

TEST_F(ControlServerTest, nonsense_is_answered_and_harms_nobody) {
  start();
  for (const char* line : {"nonsense", "{}", R"({"verb":"say"})"}) {
    auto connection = connect_control(folder_.path());
    ASSERT_TRUE(connection.ok());
    ASSERT_TRUE((*connection)->send_line(line).ok());
    Result<std::string> answer = (*connection)->receive_line(20'000);
    while (answer.ok() && decode_reply(*answer)->progress) answer = (*connection)->receive_line(20'000);
    ASSERT_TRUE(answer.ok()) << line;
    EXPECT_EQ(decode_reply(*answer)->outcome.exit_code, 2) << line;
  }
  auto connection = connect_control(folder_.path());
  VerbRequest request;
  request.verb = "stop";
  EXPECT_EQ(call_control(**connection, request, STDERR_FILENO, {}, {})->exit_code, 0);
  EXPECT_TRUE(eventually([&] { return stops_.load() == 1; }));
}

TEST_F(ControlServerTest, beyond_the_limit_a_caller_is_told_to_come_again) {
  start(1);
  auto first = connect_control(folder_.path());
  VerbRequest request;
  request.verb = "wait";
  ASSERT_TRUE((*first)->send_line(encode_request(request), {STDERR_FILENO}).ok());
  ASSERT_TRUE(eventually([&] { return waiting_.load(); }));
  auto second = connect_control(folder_.path());
  Result<std::string> answer = (*second)->receive_line(20'000);
  ASSERT_TRUE(answer.ok());
  EXPECT_NE(decode_reply(*answer)->outcome.message.find("try again"), std::string::npos);
}

}  // namespace
}  // namespace stela::fsd
