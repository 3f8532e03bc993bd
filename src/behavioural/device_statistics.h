#pragma once

#include <array>
#include <vector>

#include "base/reporter.h"
#include "behavioural/cell_charge.h"
#include "circuit/circuit.h"
#include "compile/gain_curves.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::behavioural {

/// Lowest frequency of the flicker noise that frames see, hertz: what is slower is a shift of the die.
inline constexpr double kNoiseLow = 0.1;

/// What a device's own noise does to its current on the mean over a frame: variances over the square of the current.
struct FrameNoise {
  double white = 0.0;
  double flicker = 0.0;
};

/// Deviation of a parameter over the size of a device: 1 / variance = a W L + b W + c L + d, which is Pelgrom's law
/// A^2 / ((W + dW) (L + dL)) with the offsets of drawn from effective sizes.
struct AreaLaw {
  std::array<double, 4> coefficients{};  ///< a, b, c, d; metre

  double deviation(const technology::Geometry& geometry) const;
};

/// What the engine must know of one polarity of transistor.
struct PolarityStatistics {
  std::vector<double> densities;  ///< drain current times length over width, ampere, ascending
  std::vector<double> slopes;     ///< transconductance over drain current there, 1/volt
  /// One-sided density of the noise current: 2 q i white, and over i squared flicker / (f W L); at `densities`.
  std::vector<double> white;
  std::vector<double> flicker;    ///< square metre
  double leakage = 0.0;           ///< of a reference device whose gate is at its source, ampere
  double gate_capacitance = 0.0;  ///< of a rail, over the area of the gates on it, farad per square metre
  AreaLaw threshold;              ///< of the threshold shift, volt
  AreaLaw mobility;               ///< of the mobility factor

  double slope(double density) const { return at(density, slopes); }

  /// One of the values at `densities`, interpolated over the logarithm of the density, held at the ends; 0 where there
  /// are none.
  double at(double density, const std::vector<double>& values) const;

  /// Of a device of this density and gate area (square metre) over a frame of `seconds`: white noise up to half the
  /// frame rate, flicker noise from there down to kNoiseLow. `charge`: what the device carries in a frame, coulomb.
  FrameNoise frame_noise(double density, double area, double charge, double seconds) const;
};

/// Measured in the simulator: how a threshold shift becomes a current error, how far shifts scatter, what devices add
/// of noise, leakage and capacitance, and what charge a cell takes to switch.
struct DeviceStatistics {
  PolarityStatistics n;
  PolarityStatistics p;
  CellCharges charges;

  const PolarityStatistics& of(circuit::Polarity polarity) const { return polarity == circuit::Polarity::kN ? n : p; }
};

/// Relative deviation of a mirror's current on the mean over a frame of `seconds` by the noise of its two devices of
/// the technology's reference size at `current`, ampere; of the noisier polarity.
double mirror_noise(const DeviceStatistics& statistics, const technology::Technology& technology, double current,
                    double seconds);

/// Operating points and noise of diodes, the leakage of a device and the step response of a rail with `engine`, and of
/// many devices of several sizes with `varied`, the same technology with its mismatch switched on, and
/// measure_cell_charges. Deviations have an error of about 2 % of themselves.
DeviceStatistics measure_device_statistics(const technology::Technology& technology, const compile::GainCurves& curves,
                                           const sim::Engine& engine, const sim::Engine& mismatched,
                                           const compile::Conditions& conditions);

/// The stored statistics of this technology, engine and conditions, or newly measured ones, then stored in the cache.
/// Throws a bad-input Error where the technology's mismatch switch changes nothing.
DeviceStatistics load_device_statistics(const technology::Technology& technology, const compile::GainCurves& curves,
                                        const sim::Engine& engine, const sim::Engine& mismatched,
                                        const compile::Conditions& conditions, Reporter& reporter);

}  // namespace hysteron::behavioural
