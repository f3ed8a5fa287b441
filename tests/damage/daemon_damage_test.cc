// Damage of every kind to files of every encoding: each read through the tree that the daemon serves gives the right
// bytes or EIO, a damaged plain file is not handed to the kernel, and once the file is repaired all is right again.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "engine/format/encoding.h"
#include "tests/damage/damaged_store.h"

namespace stela::fsd {
namespace {

constexpr uint64_t kDamages = 3000;

uint64_t number_from(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(DaemonDamage, ReadsAreRightOrEio) {
  const uint64_t seed = number_from("STELA_CRASH_SEED", 1);
  const std::string folder = damage_folder();
  struct Removed {
    const std::string& folder;
    ~Removed() { std::filesystem::remove_all(folder); }
  } removed{folder};
  DamagedStore store;
  ASSERT_EQ(store.make(folder, seed), "");
  for (const format::Encoding* encoding : format::all_encodings()) {
    if (encoding->id() == format::EncodingId::kRoaring) continue;  // not written any more
    EXPECT_TRUE(store.encodings().contains(encoding->id())) << encoding->name() << " has no page";
  }
  EXPECT_GE(store.plain_files(), 5u);
  const uint64_t damages = std::max<uint64_t>(60, kDamages * number_from("STELA_TEST_SCALE", 100) / 100);
  for (uint64_t i = 0; i < damages; ++i) ASSERT_EQ(store.damage_once(), "") << "seed " << seed << ", damage " << i;
  for (size_t kind = 0; kind < std::size(kDamageNames); ++kind) {
    const DamagedStore::Counts& counts = store.counts(static_cast<DamageKind>(kind));
    std::printf("%s: %lu, noticed by reads %lu, kept from the kernel %lu\n", kDamageNames[kind],
                static_cast<unsigned long>(counts.damages), static_cast<unsigned long>(counts.noticed),
                static_cast<unsigned long>(counts.passthrough_refused));
    EXPECT_GT(counts.noticed, counts.damages / 4) << kDamageNames[kind];
  }
}

}  // namespace
}  // namespace stela::fsd
