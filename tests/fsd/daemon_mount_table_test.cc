#include <gtest/gtest.h>

#include "fsd/daemon/mount_table.h"

namespace stela::fsd {
namespace {

constexpr const char* kTable =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "40 22 0:39 / /mnt/a rw,nosuid - fuse.stela /srv/a rw,user_id=0\n"
    "41 22 0:40 / /mnt/with\\040space rw shared:7 master:3 - fuse.stela /srv/st\\054ore rw\n"
    "42 22 0:41 / /mnt/a/inner rw - fuse.sshfs host: rw\n"
    "43 22 0:42 / /mnt/a rw - fuse.stela /srv/b rw\n"
    "broken line\n"
    "44 22 0:43 / /mnt/c rw - fuse.stela";

TEST(MountTable, finds_mounts_of_stela_and_unescapes_them) {
  std::vector<MountEntry> mounts = parse_stela_mounts(kTable);
  ASSERT_EQ(mounts.size(), 3u);
  EXPECT_EQ(mounts[0].mount_point, "/mnt/a");
  EXPECT_EQ(mounts[0].source, "/srv/a");
  EXPECT_EQ(mounts[0].device_number, "0:39");
  EXPECT_EQ(mounts[1].mount_point, "/mnt/with space");
  EXPECT_EQ(mounts[1].source, "/srv/st,ore");
}

TEST(MountTable, the_later_mount_hides_the_earlier) {
  std::vector<MountEntry> mounts = parse_stela_mounts(kTable);
  EXPECT_EQ(mount_at(mounts, "/mnt/a")->source, "/srv/b");
  EXPECT_EQ(mount_containing(mounts, "/mnt/a/trips/fare.npy")->source, "/srv/b");
  EXPECT_EQ(mount_of_store(mounts, "/srv/a")->mount_point, "/mnt/a");
  EXPECT_FALSE(mount_at(mounts, "/mnt").has_value());
  EXPECT_FALSE(mount_containing(mounts, "/mnt/ab").has_value());
  EXPECT_FALSE(mount_of_store(mounts, "/srv").has_value());
}

TEST(MountTable, paths_become_absolute_without_looking_at_the_last_part) {
  EXPECT_EQ(*absolute_path("/tmp/../tmp/./x/"), "/tmp/x");
  EXPECT_EQ(*absolute_path("/"), "/");
  EXPECT_FALSE(absolute_path("").ok());
  EXPECT_EQ(absolute_path("x")->back(), 'x');
  EXPECT_EQ(absolute_path("x")->front(), '/');
}

}  // namespace
}  // namespace stela::fsd
