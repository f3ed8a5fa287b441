#include "bench/support/arguments.h"

#include <cstdio>
#include <cstdlib>

namespace stela::bench {

Arguments::Arguments(int argc, char** argv, const char* purpose, std::initializer_list<Known> known) {
  auto usage = [&](std::FILE* to) {
    std::fprintf(to, "%s: %s\n", argv[0], purpose);
    for (const Known& one : known) std::fprintf(to, "  --%-12s %s (%s)\n", one.name, one.meaning, one.fallback);
  };
  for (const Known& one : known) values_[one.name] = one.fallback;
  for (int i = 1; i < argc; i += 2) {
    std::string name = argv[i];
    bool help = name == "--help";
    if (help || !name.starts_with("--") || !values_.contains(name.substr(2)) || i + 1 >= argc) {
      if (!help) std::fprintf(stderr, "not understood: %s\n", name.c_str());
      usage(help ? stdout : stderr);
      std::exit(help ? 0 : 2);
    }
    values_[name.substr(2)] = argv[i + 1];
  }
}

uint64_t Arguments::number(const std::string& name) const {
  const std::string& value = values_.at(name);
  char* end = nullptr;
  uint64_t number = std::strtoull(value.c_str(), &end, 10);
  if (value.empty() || *end != '\0') {
    std::fprintf(stderr, "--%s takes a number, not %s\n", name.c_str(), value.c_str());
    std::exit(2);
  }
  return number;
}

}  // namespace stela::bench
