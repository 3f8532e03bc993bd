// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each instruction set by
// including this file again; the functions at the end choose one at run time.

#include "train/scan.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/scan.cpp"
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)  // structures hold vectors
// The order of these is Highway's.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace hysteron::train::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kScanLanes>;
using Float = hn::Vec<Floats>;

constexpr std::ptrdiff_t kStride = kScanLanes;  // from one frame to the next
constexpr std::size_t kSumFrames = 64;          // summed in single precision before they go to a double

struct ComplexFloat {
  Float re;
  Float im;
};

/// x y + z
HWY_INLINE ComplexFloat times_plus(const ComplexFloat& x, const ComplexFloat& y, const ComplexFloat& z) {
  return {hn::MulAdd(x.re, y.re, hn::NegMulAdd(x.im, y.im, z.re)),
          hn::MulAdd(x.re, y.im, hn::MulAdd(x.im, y.re, z.im))};
}

/// The terms of y_i = factor_i y_{i-1} + input_i. Element i lies i * `stride` floats on, so a negative stride runs back
/// in time.
struct RealSeries {
  using Value = Float;

  const float* factor;
  const float* input;
  float* output;  // may be `input`
  std::ptrdiff_t stride;

  HWY_INLINE std::ptrdiff_t at(std::size_t i) const { return static_cast<std::ptrdiff_t>(i) * stride; }
  HWY_INLINE Value next(std::size_t i, Value y) const {
    return hn::MulAdd(hn::LoadU(Floats(), factor + at(i)), y, hn::LoadU(Floats(), input + at(i)));
  }
  HWY_INLINE void store(std::size_t i, Value y) const { hn::StoreU(y, Floats(), output + at(i)); }
};

/// The same with one complex factor for all i.
struct ComplexSeries {
  using Value = ComplexFloat;

  Value factor;
  const float* input_re;
  const float* input_im;
  float* output_re;
  float* output_im;
  std::ptrdiff_t stride;

  static HWY_INLINE Value zero() { return {hn::Zero(Floats()), hn::Zero(Floats())}; }
  HWY_INLINE std::ptrdiff_t at(std::size_t i) const { return static_cast<std::ptrdiff_t>(i) * stride; }
  HWY_INLINE Value next(std::size_t i, const Value& y) const {
    return times_plus(factor, y, {hn::LoadU(Floats(), input_re + at(i)), hn::LoadU(Floats(), input_im + at(i))});
  }
  HWY_INLINE void store(std::size_t i, const Value& y) const {
    hn::StoreU(y.re, Floats(), output_re + at(i));
    hn::StoreU(y.im, Floats(), output_im + at(i));
  }
};

/// Elements [begin, end), element by element, from the value before `begin`.
template <class Series>
HWY_INLINE void scan_range(const Series& series, typename Series::Value y, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    y = series.next(i, y);
    series.store(i, y);
  }
}

void scan_forward(const float* a, const float* b, const float* initial, float* s, std::size_t frames) {
  const Floats d;
  for (std::size_t lane = 0; lane < kScanLanes; lane += hn::Lanes(d)) {
    const Float start = initial == nullptr ? hn::Zero(d) : hn::LoadU(d, initial + lane);
    scan_range(RealSeries{a + lane, b + lane, s + lane, kStride}, start, 0, frames);
  }
}

void scan_backward(const float* a, const float* s, const float* initial, float* ds, float* da, float* dinitial,
                   std::size_t frames) {
  const Floats d;
  for (std::size_t lane = 0; lane < kScanLanes && frames > 0; lane += hn::Lanes(d)) {
    // ds_t += a_{t+1} ds_{t+1}, from the last frame but one to the first
    const std::size_t last = (frames - 1) * kScanLanes + lane;
    const std::size_t before = frames > 1 ? last - kScanLanes : last;
    scan_range(RealSeries{a + last, ds + before, ds + before, -kStride}, hn::LoadU(d, ds + last), 0, frames - 1);
    for (std::size_t n = kScanLanes + lane; n <= last; n += kScanLanes) {
      hn::StoreU(hn::Mul(hn::LoadU(d, ds + n), hn::LoadU(d, s + n - kScanLanes)), d, da + n);
    }
    const Float first = hn::LoadU(d, ds + lane);
    const Float start = initial == nullptr ? hn::Zero(d) : hn::LoadU(d, initial + lane);
    hn::StoreU(hn::Mul(first, start), d, da + lane);
    if (dinitial != nullptr) hn::StoreU(hn::Mul(first, hn::LoadU(d, a + lane)), d, dinitial + lane);
  }
}

void complex_scan_forward(float lambda_re, float lambda_im, const float* b_re, const float* b_im, float* x_re,
                          float* x_im, std::size_t frames) {
  const Floats d;
  const ComplexFloat lambda{hn::Set(d, lambda_re), hn::Set(d, lambda_im)};
  for (std::size_t lane = 0; lane < kScanLanes; lane += hn::Lanes(d)) {
    const ComplexSeries series{lambda, b_re + lane, b_im + lane, x_re + lane, x_im + lane, kStride};
    scan_range(series, ComplexSeries::zero(), 0, frames);
  }
}

/// sum over frames t >= 1 of conj(x_{t-1}) dx_t of the lanes from `lane` on
HWY_INLINE ComplexGradient factor_gradient(const float* x_re, const float* x_im, const float* dx_re, const float* dx_im,
                                           std::size_t lane, std::size_t frames) {
  const Floats d;
  ComplexGradient sum;
  for (std::size_t begin = 1; begin < frames; begin += kSumFrames) {
    Float re = hn::Zero(d);
    Float im = hn::Zero(d);
    for (std::size_t t = begin; t < std::min(frames, begin + kSumFrames); ++t) {
      const std::size_t n = t * kScanLanes + lane;
      const ComplexFloat x{hn::LoadU(d, x_re + n - kScanLanes), hn::LoadU(d, x_im + n - kScanLanes)};
      const ComplexFloat g{hn::LoadU(d, dx_re + n), hn::LoadU(d, dx_im + n)};
      re = hn::MulAdd(g.re, x.re, hn::MulAdd(g.im, x.im, re));
      im = hn::MulAdd(g.im, x.re, hn::NegMulAdd(g.re, x.im, im));
    }
    sum.re += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, re)));
    sum.im += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, im)));
  }
  return sum;
}

ComplexGradient complex_scan_backward(float lambda_re, float lambda_im, const float* x_re, const float* x_im,
                                      float* dx_re, float* dx_im, std::size_t frames) {
  const Floats d;
  const ComplexFloat conjugate{hn::Set(d, lambda_re), hn::Set(d, -lambda_im)};
  ComplexGradient sum;
  for (std::size_t lane = 0; lane < kScanLanes && frames > 0; lane += hn::Lanes(d)) {
    const std::size_t last = (frames - 1) * kScanLanes + lane;
    scan_range(ComplexSeries{conjugate, dx_re + last, dx_im + last, dx_re + last, dx_im + last, -kStride},
               ComplexSeries::zero(), 0, frames);
    const ComplexGradient part = factor_gradient(x_re, x_im, dx_re, dx_im, lane, frames);
    sum.re += part.re;
    sum.im += part.im;
  }
  return sum;
}

}  // namespace
}  // namespace hysteron::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hysteron::train {

HWY_EXPORT(scan_forward);
HWY_EXPORT(scan_backward);
HWY_EXPORT(complex_scan_forward);
HWY_EXPORT(complex_scan_backward);

void scan_forward(const float* a, const float* b, const float* initial, float* s, std::size_t frames) {
  HWY_DYNAMIC_DISPATCH(scan_forward)(a, b, initial, s, frames);
}

void scan_backward(const float* a, const float* s, const float* initial, float* ds, float* da, float* dinitial,
                   std::size_t frames) {
  HWY_DYNAMIC_DISPATCH(scan_backward)(a, s, initial, ds, da, dinitial, frames);
}

void complex_scan_forward(float lambda_re, float lambda_im, const float* b_re, const float* b_im, float* x_re,
                          float* x_im, std::size_t frames) {
  HWY_DYNAMIC_DISPATCH(complex_scan_forward)(lambda_re, lambda_im, b_re, b_im, x_re, x_im, frames);
}

ComplexGradient complex_scan_backward(float lambda_re, float lambda_im, const float* x_re, const float* x_im,
                                      float* dx_re, float* dx_im, std::size_t frames) {
  return HWY_DYNAMIC_DISPATCH(complex_scan_backward)(lambda_re, lambda_im, x_re, x_im, dx_re, dx_im, frames);
}

}  // namespace hysteron::train
#endif  // HWY_ONCE
