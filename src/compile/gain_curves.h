#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/reporter.h"
#include "circuit/circuit.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// Under which conditions curves are measured and circuits are sized.
struct Conditions {
  double unit_current = 1e-9;  ///< ampere that stand for 1.0 of the model
  double supply = 0.0;         ///< volt; 0: the technology's
  double temperature = 27.0;   ///< degree Celsius
};

/// Supply voltage under `conditions`.
double supply_of(const technology::Technology& technology, const Conditions& conditions);

/// Voltages of the circuit's kinds of nodes at one unit current, measured.
struct OperatingVoltages {
  double n_diode = 0.0;    ///< a rectifying node, on
  double p_diode = 0.0;    ///< a P rail (from ground)
  double cascode_n = 0.0;  ///< drain of the legs that pull on a signed node, below their cascode
  double cascode_p = 0.0;  ///< drain of the legs that push, above theirs (from ground)
  double cell_tail = 0.0;  ///< drain of M5 in a cell that is on
};

/// A leg may be longer or shorter than one of the technology's leg lengths by this share; its current goes there
/// as L to a power that the curves show.
inline constexpr double kMaxTrim = 0.03;

/// Drain current of a leg over that of the reference diode on its rail, measured over width, length and drain voltage.
class GainCurves {
 public:
  std::vector<double> widths;    ///< metre, ascending
  std::vector<double> lengths;   ///< metre, ascending; the technology's leg lengths
  std::vector<double> voltages;  ///< volt between drain and source, ascending
  /// gain[polarity][length][voltage][width] flattened; polarity 0 is N
  std::vector<double> gains;
  /// drift[polarity][length][width] flattened: relative change of the gain from the conditions' temperature to the
  /// coldest of the technology, where a leg is well saturated. Empty where the technology sets no `leg_drift`.
  std::vector<double> drifts;
  OperatingVoltages operating;

  /// Interpolated gain: linear in the drain voltage, linear in log width of log (gain / width).
  double gain(circuit::Polarity polarity, std::size_t length_index, double width, double voltage) const;

  /// Interpolated drift, linear in log width; 0 where none was measured.
  double drift(circuit::Polarity polarity, std::size_t length_index, double width) const;

  /// Index into `lengths` of the one that `length` is within kMaxTrim of; nothing where there is none.
  std::optional<std::size_t> find_length(double length) const;

  /// find_length where it must be there.
  std::size_t length_index(double length) const;

  /// The gain of a device of this size; its length must be within kMaxTrim of one of `lengths`.
  double gain_of(circuit::Polarity polarity, const technology::Geometry& geometry, double voltage) const;

  /// The width at which the gain is `target`, unsnapped, or the nearest end of the measured range.
  double width_for(circuit::Polarity polarity, std::size_t length_index, double target, double voltage) const;
};

/// Measures the curves with `engine`, in two operating-point runs, and a third in the cold where drifts are asked for.
GainCurves measure_gain_curves(const technology::Technology& technology, const sim::Engine& engine,
                               const Conditions& conditions);

/// The stored curves of this technology, engine and conditions, or newly measured ones, then stored in the cache.
GainCurves load_gain_curves(const technology::Technology& technology, const sim::Engine& engine,
                            const Conditions& conditions, Reporter& reporter);

}  // namespace hysteron::compile
