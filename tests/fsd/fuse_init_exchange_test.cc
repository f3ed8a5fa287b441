#include <gtest/gtest.h>

#include <cstring>

#include "fsd/fuse/init_exchange.h"
#include "fsd/fuse/kernel_protocol.h"

namespace stela::fsd::fuse {
namespace {

struct Request {
  fuse_in_header header;
  fuse_init_in init;
};

Request init_request(uint32_t flags2) {
  Request request = {};
  request.header.len = sizeof(request);
  request.header.opcode = FUSE_INIT;
  request.header.unique = 2;
  request.init.major = 7;
  request.init.minor = 40;
  request.init.flags = FUSE_INIT_EXT | FUSE_ASYNC_READ;
  request.init.flags2 = flags2;
  return request;
}

// What libfuse would answer, amended.
fuse_init_out answered(InitExchange& exchange, int error = 0) {
  fuse_out_header header = {.len = 80, .error = error, .unique = 2};
  fuse_init_out out = {};
  out.flags = FUSE_ASYNC_READ;
  iovec parts[2] = {{&header, sizeof(header)}, {&out, sizeof(out)}};
  exchange.reply_about_to_be_written(parts, 2);
  return out;
}

uint32_t stack_depth(const fuse_init_out& out) {
  uint32_t depth = 0;
  std::memcpy(&depth, reinterpret_cast<const char*>(&out) + kInitOutStackDepthOffset, sizeof(depth));
  return depth;
}

TEST(InitExchange, asks_for_what_is_offered_and_wished) {
  InitExchange exchange({});
  Request request = init_request(kInit2Passthrough | kInit2DirectIoAllowMmap);
  exchange.request_read(&request, sizeof(request));
  EXPECT_FALSE(exchange.done());
  fuse_init_out out = answered(exchange);
  EXPECT_TRUE(exchange.done());
  EXPECT_EQ(out.flags2, kInit2Passthrough | kInit2DirectIoAllowMmap);
  EXPECT_EQ(out.flags, static_cast<uint32_t>(FUSE_INIT_EXT | FUSE_ASYNC_READ));
  EXPECT_EQ(stack_depth(out), 1u);
  EXPECT_TRUE(exchange.grants().passthrough);
  EXPECT_TRUE(exchange.grants().direct_mmap);
}

TEST(InitExchange, asks_for_nothing_that_was_not_offered) {
  InitExchange exchange({});
  Request request = init_request(kInit2DirectIoAllowMmap);
  exchange.request_read(&request, sizeof(request));
  fuse_init_out out = answered(exchange);
  EXPECT_EQ(out.flags2, kInit2DirectIoAllowMmap);
  EXPECT_EQ(stack_depth(out), 0u);
  EXPECT_FALSE(exchange.grants().passthrough);
}

TEST(InitExchange, asks_for_nothing_that_was_not_wished) {
  InitExchange exchange({.passthrough = false, .direct_mmap = false});
  Request request = init_request(0xffffffff);
  exchange.request_read(&request, sizeof(request));
  fuse_init_out out = answered(exchange);
  EXPECT_EQ(out.flags2, 0u);
  EXPECT_EQ(out.flags, static_cast<uint32_t>(FUSE_ASYNC_READ));
}

TEST(InitExchange, hides_flags_newer_than_the_named_kernel) {
  InitExchange old_kernel({.kernel_max = {6, 1}});
  Request request = init_request(0xffffffff);
  old_kernel.request_read(&request, sizeof(request));
  EXPECT_EQ(request.init.flags2, 0x3u) << "libfuse sees them neither";
  answered(old_kernel);
  EXPECT_FALSE(old_kernel.grants().passthrough);
  EXPECT_FALSE(old_kernel.grants().direct_mmap);

  InitExchange between({.kernel_max = {6, 8}});
  request = init_request(0xffffffff);
  between.request_read(&request, sizeof(request));
  answered(between);
  EXPECT_FALSE(between.grants().passthrough);
  EXPECT_TRUE(between.grants().direct_mmap);
}

TEST(InitExchange, leaves_kernels_without_the_extension_alone) {
  InitExchange exchange({});
  Request request = init_request(0xffffffff);
  request.init.flags = FUSE_ASYNC_READ;
  exchange.request_read(&request, sizeof(request));
  fuse_init_out out = answered(exchange);
  EXPECT_EQ(out.flags2, 0u);
  EXPECT_TRUE(exchange.done());
  EXPECT_FALSE(exchange.grants().passthrough);
}

TEST(InitExchange, takes_a_refusal_and_short_or_other_requests_as_they_are) {
  InitExchange refused({});
  Request request = init_request(0xffffffff);
  refused.request_read(&request, sizeof(request));
  EXPECT_EQ(answered(refused, -EPROTO).flags2, 0u);
  EXPECT_TRUE(refused.done());

  InitExchange other({});
  Request lookup = init_request(0xffffffff);
  lookup.header.opcode = FUSE_LOOKUP;
  other.request_read(&lookup, sizeof(lookup));
  other.request_read(&lookup, 10);
  EXPECT_EQ(answered(other).flags2, 0u);
  EXPECT_FALSE(other.done());
}

}  // namespace
}  // namespace stela::fsd::fuse
