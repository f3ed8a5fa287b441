#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "engine/base/ordered_work.h"

namespace stela {
namespace {

TEST(OrderedWorkThreads, LandsInOrderWhateverRunsFirst) {
  for (unsigned threads : {1u, 2u, 5u}) {
    std::vector<int> landed;
    std::atomic<int> done{0};
    OrderedWork work(threads, 4);
    for (int i = 0; i < 500; ++i) {
      auto run = [&done, i]() -> Status {
        volatile int spent = 0;
        for (int k = 0; k < i % 7 * 1000; ++k) spent = spent + 1;
        ++done;
        return {};
      };
      auto land = [&landed, i]() -> Status {
        landed.push_back(i);
        return {};
      };
      ASSERT_TRUE((i % 5 == 0 ? work.add_small(run, land) : work.add(run, land)).ok());
      ASSERT_GE(landed.size() + 4, static_cast<size_t>(i));
    }
    ASSERT_TRUE(work.finish().ok());
    ASSERT_EQ(landed.size(), 500u);
    EXPECT_TRUE(std::is_sorted(landed.begin(), landed.end()));
    EXPECT_EQ(done, 500);
  }
}

TEST(OrderedWorkThreads, AnErrorIsReturnedAndTheRestIsDropped) {
  for (unsigned threads : {1u, 3u}) {
    int landed = 0;
    OrderedWork work(threads, 8);
    Status status;
    for (int i = 0; i < 100 && status.ok(); ++i) {
      status = work.add([i] { return i == 20 ? invalid("no") : Status(); }, [&] {
        ++landed;
        return Status();
      });
    }
    if (status.ok()) status = work.finish();
    EXPECT_EQ(status.message(), "no");
    EXPECT_EQ(landed, 20);
    work.drop();
    EXPECT_TRUE(work.finish().ok());
    EXPECT_EQ(landed, 20);
  }
}

TEST(OrderedWorkThreads, WhatWorkThrowsIsThrownToTheCaller) {
  for (unsigned threads : {1u, 3u}) {
    OrderedWork work(threads, 8);
    auto give = [&] {
      for (int i = 0; i < 20; ++i) {
        auto run = [i]() -> Status {
          if (i == 7) throw std::bad_alloc();
          return {};
        };
        if (!work.add(run, [] { return Status(); }).ok()) return;
      }
      (void)work.finish().ok();
    };
    EXPECT_THROW(give(), std::bad_alloc);
  }
}

TEST(OrderedWorkThreads, DestroyedInTheMidstOfWork) {
  for (int i = 0; i < 50; ++i) {
    OrderedWork work(4, 100);
    for (int k = 0; k < i; ++k) {
      ASSERT_TRUE(work.add([] { return Status(); }, [] { return Status(); }).ok());
    }
  }
}

}  // namespace
}  // namespace stela
