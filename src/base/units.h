#pragma once

#include <string>

namespace hysteron {

inline constexpr double kNano = 1e-9;
inline constexpr double kPico = 1e-12;
inline constexpr double kMicro = 1e-6;
inline constexpr double kMilli = 1e-3;
inline constexpr double kZeroCelsius = 273.15;                ///< kelvin
inline constexpr double kBoltzmann = 1.380649e-23;            ///< joule per kelvin
inline constexpr double kElementaryCharge = 1.602176634e-19;  ///< coulomb

/// `value` with an SI prefix and `digits` significant digits: format_si(1.5e-9, "A") is "1.5 nA".
std::string format_si(double value, const std::string& unit, int digits = 3);

/// Reads "100p", "1.5n", "2e-9" or "0.4u" (prefixes a f p n u m k M G, an optional unit letter A, V, s, m behind it).
/// Throws a usage Error that names `what` when the text is no number.
double parse_si(const std::string& text, const std::string& what);

}  // namespace hysteron
