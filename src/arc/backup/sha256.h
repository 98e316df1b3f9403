// SHA-256 of what passes by.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace arc {

// Not thread-safe. Finish once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Add(std::string_view bytes);
  std::string Finish();  // 64 hexadecimal digits, lower case

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string Sha256Of(std::string_view bytes);

}  // namespace arc
