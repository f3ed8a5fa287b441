#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "fsd/fuse/request_pool.h"

namespace stela::fsd::fuse {
namespace {

TEST(RequestPool, runs_every_task_once_and_ends_after_the_last) {
  std::atomic<int> count{0};
  {
    RequestPool pool(4, 1000);
    for (int i = 0; i < 500; ++i) pool.submit([&] { count.fetch_add(1); });
  }
  EXPECT_EQ(count.load(), 500);
}

TEST(RequestPool, tasks_that_wait_for_each_other_all_get_a_thread) {
  constexpr int kTasks = 8;
  std::atomic<int> arrived{0};
  std::promise<void> all;
  std::shared_future<void> release = all.get_future().share();
  std::atomic<int> released{0};
  RequestPool pool(kTasks, 1000);
  for (int i = 0; i < kTasks; ++i) {
    pool.submit([&] {
      if (arrived.fetch_add(1) + 1 == kTasks) all.set_value();
      if (release.wait_for(std::chrono::seconds(20)) == std::future_status::ready) released.fetch_add(1);
    });
  }
  pool.drain();
  EXPECT_EQ(released.load(), kTasks);
}

TEST(RequestPool, a_full_queue_makes_the_caller_work) {
  std::promise<void> begun, end;
  std::future<void> may_end = end.get_future();
  RequestPool pool(1, 1);  // ends before what its tasks use
  pool.submit([&] {
    begun.set_value();
    may_end.wait();
  });
  begun.get_future().wait();
  pool.submit([] {});
  std::thread::id ran_on;
  pool.submit([&] { ran_on = std::this_thread::get_id(); });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  end.set_value();
}

TEST(RequestPool, a_task_after_the_end_runs_at_once) {
  RequestPool pool(2, 10);
  pool.drain();
  bool ran = false;
  pool.submit([&] { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace stela::fsd::fuse
