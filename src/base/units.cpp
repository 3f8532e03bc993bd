#include "base/units.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "base/error.h"

namespace hysteron {
namespace {

struct Prefix {
  char letter;
  double factor;
};

constexpr std::array<Prefix, 10> kPrefixes{{{'a', 1e-18},
                                            {'f', 1e-15},
                                            {'p', 1e-12},
                                            {'n', 1e-9},
                                            {'u', 1e-6},
                                            {'m', 1e-3},
                                            {' ', 1.0},
                                            {'k', 1e3},
                                            {'M', 1e6},
                                            {'G', 1e9}}};

}  // namespace

std::string format_si(double value, const std::string& unit, int digits) {
  const Prefix* chosen = &kPrefixes[6];
  if (value != 0.0 && std::isfinite(value)) {
    chosen = &kPrefixes.front();
    // The half-unit of the last digit is added so that 999.9996 p becomes 1 n and not 1000 p.
    const double magnitude = std::abs(value) * (1.0 + 0.5 * std::pow(10.0, -digits));
    for (const Prefix& prefix : kPrefixes) {
      if (magnitude >= prefix.factor) chosen = &prefix;
    }
  }
  const std::string number = fmt::format("{:.{}g}", value / chosen->factor, digits);
  return chosen->letter == ' ' ? fmt::format("{} {}", number, unit)
                               : fmt::format("{} {}{}", number, chosen->letter, unit);
}

double parse_si(const std::string& text, const std::string& what) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string_view rest(end);
  double factor = 1.0;
  std::size_t used = 0;
  bool unit_allowed = true;
  if (!rest.empty()) {
    for (const Prefix& prefix : kPrefixes) {
      // "m" alone is milli; a lone unit letter other than m stands for itself.
      if (prefix.letter == rest[0] && prefix.letter != ' ') {
        factor = prefix.factor;
        used = 1;
      }
    }
    if (used < rest.size() && std::string_view("AVsm").find(rest[used]) != std::string_view::npos) ++used;
    unit_allowed = used == rest.size();
  }
  if (end == text.c_str() || !unit_allowed || !std::isfinite(number)) {
    throw Error(ErrorKind::kUsage,
                fmt::format("{}: {} is not a number; expected one like 1e-9, 1n or 100p", what, quoted(text)));
  }
  return number * factor;
}

}  // namespace hysteron
