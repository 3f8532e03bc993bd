#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/flip_fit.h"
#include "analysis/yield.h"

namespace hysteron::analysis {

/// One clip on all dies: how far its software decision is from another one, and on which dies it is another one.
struct ClipFlips {
  double margin = 0.0;                ///< votes ahead over frames
  std::vector<std::uint8_t> flipped;  ///< [dies], 0 or 1
  std::vector<std::uint8_t> tried;    ///< [dies], 0 where there is no result; `flipped` is 0 there
};

/// The share of dies on which a clip's decision is not the software's, as a law of its margin: Q(offset + slope
/// margin).
struct MarginFit {
  FlipFit law;      ///< its own intervals take every pair of die and clip as a draw of its own, which they are not
  Interval offset;  ///< 95 %, by resampling
  Interval slope;
  std::size_t resamples = 0;  ///< of kMarginResamples, those with flips at two margins
  /// Pearson's statistic over its degrees of freedom: 1 where dies scatter around the law as independent draws do, more
  /// where clips of one margin differ.
  double dispersion = 0.0;
  double rms_error = 0.0;  ///< of the clips' flip rates around the law
};

inline constexpr std::size_t kMarginResamples = 500;

/// Fits the law by maximum likelihood. The intervals come from the bootstrap over dies and clips together (percentiles
/// 2.5 and 97.5 of fits to as many dies and clips drawn with replacement): pairs that share a die or a clip are not
/// independent (A. B. Owen, Annals of Applied Statistics 1, 2007). Figures are NaN where fewer than two margins saw
/// flips, `dispersion` also with fewer than three clips.
MarginFit fit_margins(const std::vector<ClipFlips>& clips, std::uint64_t seed);

}  // namespace hysteron::analysis
