#pragma once

#include <array>

namespace hysteron::compile {

/// The three legs that set a cell.
enum class CellLeg {
  kThreshold,  ///< M2: beta_hi
  kWidth,      ///< M8: delta
  kGain        ///< M5: alpha
};
inline constexpr std::array kCellLegs = {CellLeg::kThreshold, CellLeg::kWidth, CellLeg::kGain};

/// One T for each of them.
template <typename T>
struct PerCellLeg {
  T threshold{};
  T width{};
  T gain{};

  T& operator[](CellLeg leg) {
    return leg == CellLeg::kThreshold ? threshold : (leg == CellLeg::kWidth ? width : gain);
  }
  const T& operator[](CellLeg leg) const {
    return leg == CellLeg::kThreshold ? threshold : (leg == CellLeg::kWidth ? width : gain);
  }
};

/// Gains of the three legs in unit currents, before drawing: what calibration turns.
struct CellGains {
  double threshold = 0.0;  ///< M2
  double width = 0.0;      ///< M8
  double output = 0.0;     ///< M5
};

}  // namespace hysteron::compile
