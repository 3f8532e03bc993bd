#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/error.h"
#include "session.h"

std::uint64_t parse_seed(const std::string& text, const std::string& name) {
  std::uint64_t seed = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (code == std::errc() && end == text.data() + text.size()) return seed;
  throw hysteron::bad_input(fmt::format("{} {}: expected a whole number from 0 to {}", name, hysteron::quoted(text),
                                        std::numeric_limits<std::uint64_t>::max()));
}
