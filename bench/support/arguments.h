// "--name value" arguments of a benchmark.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>

namespace stela::bench {

// Prints the usage and ends the program at "--help" (status 0) and at an unknown name (status 2).
class Arguments {
 public:
  struct Known {
    const char* name;
    const char* fallback;
    const char* meaning;
  };
  Arguments(int argc, char** argv, const char* purpose, std::initializer_list<Known> known);

  std::string text(const std::string& name) const { return values_.at(name); }
  uint64_t number(const std::string& name) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace stela::bench
