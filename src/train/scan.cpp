// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each instruction set by
// including this file again; the functions at the end choose one at run time.

#include "train/scan.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/scan.cpp"
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)  // chunks hold arrays of vectors
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
constexpr std::size_t kChunks = 4;              // enough to hide the latency of a multiplication and addition
constexpr std::size_t kSumFrames = 64;          // summed in single precision before they go to a double

struct ComplexFloat {
  Float re;
  Float im;
};

HWY_INLINE Float plus(Float x, Float y) { return hn::Add(x, y); }
HWY_INLINE ComplexFloat plus(const ComplexFloat& x, const ComplexFloat& y) {
  return {hn::Add(x.re, y.re), hn::Add(x.im, y.im)};
}
/// x y + z
HWY_INLINE Float times_plus(Float x, Float y, Float z) { return hn::MulAdd(x, y, z); }
HWY_INLINE ComplexFloat times_plus(const ComplexFloat& x, const ComplexFloat& y, const ComplexFloat& z) {
  return {hn::MulAdd(x.re, y.re, hn::NegMulAdd(x.im, y.im, z.re)),
          hn::MulAdd(x.re, y.im, hn::MulAdd(x.im, y.re, z.im))};
}

/// The terms of y_i = factor_i y_{i-1} + input_i. Element i lies i * `stride` floats on, so a negative stride runs back
/// in time.
struct RealSeries {
  using Value = Float;
  static constexpr bool kConstantFactor = false;

  const float* factor;
  const float* input;
  float* output;  // may be `input`
  std::ptrdiff_t stride;

  static HWY_INLINE Value zero() { return hn::Zero(Floats()); }
  static HWY_INLINE Value one() { return hn::Set(Floats(), 1.0f); }
  HWY_INLINE std::ptrdiff_t at(std::size_t i) const { return static_cast<std::ptrdiff_t>(i) * stride; }
  HWY_INLINE Value carried(std::size_t i, Value y) const { return hn::Mul(hn::LoadU(Floats(), factor + at(i)), y); }
  HWY_INLINE Value next(std::size_t i, Value y) const {
    return hn::MulAdd(hn::LoadU(Floats(), factor + at(i)), y, hn::LoadU(Floats(), input + at(i)));
  }
  HWY_INLINE Value load(std::size_t i) const { return hn::LoadU(Floats(), output + at(i)); }
  HWY_INLINE void store(std::size_t i, Value y) const { hn::StoreU(y, Floats(), output + at(i)); }
};

/// The same with one complex factor for all i.
struct ComplexSeries {
  using Value = ComplexFloat;
  static constexpr bool kConstantFactor = true;

  Value factor;
  const float* input_re;
  const float* input_im;
  float* output_re;
  float* output_im;
  std::ptrdiff_t stride;

  static HWY_INLINE Value zero() { return {hn::Zero(Floats()), hn::Zero(Floats())}; }
  static HWY_INLINE Value one() { return {hn::Set(Floats(), 1.0f), hn::Zero(Floats())}; }
  HWY_INLINE std::ptrdiff_t at(std::size_t i) const { return static_cast<std::ptrdiff_t>(i) * stride; }
  HWY_INLINE Value carried(std::size_t, const Value& y) const {
    return {hn::MulSub(factor.re, y.re, hn::Mul(factor.im, y.im)),
            hn::MulAdd(factor.re, y.im, hn::Mul(factor.im, y.re))};
  }
  HWY_INLINE Value next(std::size_t i, const Value& y) const {
    return times_plus(factor, y, {hn::LoadU(Floats(), input_re + at(i)), hn::LoadU(Floats(), input_im + at(i))});
  }
  HWY_INLINE Value load(std::size_t i) const {
    return {hn::LoadU(Floats(), output_re + at(i)), hn::LoadU(Floats(), output_im + at(i))};
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

/// Scans every chunk as if nothing came before it, but the first, which starts from `initial`. ends[k] receives the
/// last value of chunk k and products[k] the product of its factors.
template <class Series>
HWY_INLINE void scan_chunks(const Series& series, const typename Series::Value& initial, std::size_t length,
                            typename Series::Value* ends, typename Series::Value* products) {
  typename Series::Value y[kChunks];
  typename Series::Value product[kChunks];
  for (std::size_t k = 0; k < kChunks; ++k) {
    y[k] = k == 0 ? initial : Series::zero();
    product[k] = Series::one();
  }
  for (std::size_t i = 0; i < length; ++i) {
    for (std::size_t k = 0; k < kChunks; ++k) {
      y[k] = series.next(k * length + i, y[k]);
      series.store(k * length + i, y[k]);
      if (!Series::kConstantFactor || k == 0) product[k] = series.carried(k * length + i, product[k]);
    }
  }
  for (std::size_t k = 0; k < kChunks; ++k) {
    ends[k] = y[k];
    products[k] = Series::kConstantFactor ? product[0] : product[k];
  }
}

/// Adds to every chunk but the first what the value before it, carries[k], becomes in it.
template <class Series>
HWY_INLINE void correct_chunks(const Series& series, std::size_t length, const typename Series::Value* carries) {
  typename Series::Value carried[kChunks];
  for (std::size_t k = 1; k < kChunks; ++k) carried[k] = carries[k];
  for (std::size_t i = 0; i < length; ++i) {
    for (std::size_t k = 1; k < kChunks; ++k) {
      const std::size_t place = k * length + i;
      carried[k] = series.carried(place, carried[k]);
      series.store(place, plus(series.load(place), carried[k]));
    }
  }
}

template <class Series>
HWY_INLINE void scan(const Series& series, const typename Series::Value& initial, std::size_t count, ScanForm form) {
  const std::size_t length = form == ScanForm::kChunked ? count / kChunks : 0;
  if (length == 0) {
    scan_range(series, initial, 0, count);
    return;
  }
  typename Series::Value ends[kChunks];
  typename Series::Value products[kChunks];
  typename Series::Value carries[kChunks];
  scan_chunks(series, initial, length, ends, products);
  carries[0] = initial;
  for (std::size_t k = 1; k < kChunks; ++k) {
    carries[k] = k == 1 ? ends[0] : times_plus(products[k - 1], carries[k - 1], ends[k - 1]);
  }
  correct_chunks(series, length, carries);
  const std::size_t done = kChunks * length;
  scan_range(series, series.load(done - 1), done, count);  // what is no whole number of chunks
}

void scan_forward(const float* a, const float* b, const float* initial, float* s, std::size_t frames, ScanForm form) {
  const Floats d;
  for (std::size_t lane = 0; lane < kScanLanes; lane += hn::Lanes(d)) {
    const Float start = initial == nullptr ? hn::Zero(d) : hn::LoadU(d, initial + lane);
    scan(RealSeries{a + lane, b + lane, s + lane, kStride}, start, frames, form);
  }
}

void scan_backward(const float* a, const float* s, const float* initial, float* ds, float* da, float* dinitial,
                   std::size_t frames, ScanForm form) {
  const Floats d;
  for (std::size_t lane = 0; lane < kScanLanes && frames > 0; lane += hn::Lanes(d)) {
    // ds_t += a_{t+1} ds_{t+1}, from the last frame but one to the first
    const std::size_t last = (frames - 1) * kScanLanes + lane;
    const std::size_t before = frames > 1 ? last - kScanLanes : last;
    scan(RealSeries{a + last, ds + before, ds + before, -kStride}, hn::LoadU(d, ds + last), frames - 1, form);
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
                          float* x_im, std::size_t frames, ScanForm form) {
  const Floats d;
  const ComplexFloat lambda{hn::Set(d, lambda_re), hn::Set(d, lambda_im)};
  for (std::size_t lane = 0; lane < kScanLanes; lane += hn::Lanes(d)) {
    const ComplexSeries series{lambda, b_re + lane, b_im + lane, x_re + lane, x_im + lane, kStride};
    scan(series, ComplexSeries::zero(), frames, form);
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
                                      float* dx_re, float* dx_im, std::size_t frames, ScanForm form) {
  const Floats d;
  const ComplexFloat conjugate{hn::Set(d, lambda_re), hn::Set(d, -lambda_im)};
  ComplexGradient sum;
  for (std::size_t lane = 0; lane < kScanLanes && frames > 0; lane += hn::Lanes(d)) {
    const std::size_t last = (frames - 1) * kScanLanes + lane;
    scan(ComplexSeries{conjugate, dx_re + last, dx_im + last, dx_re + last, dx_im + last, -kStride},
         ComplexSeries::zero(), frames, form);
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

void scan_forward(const float* a, const float* b, const float* initial, float* s, std::size_t frames, ScanForm form) {
  HWY_DYNAMIC_DISPATCH(scan_forward)(a, b, initial, s, frames, form);
}

void scan_backward(const float* a, const float* s, const float* initial, float* ds, float* da, float* dinitial,
                   std::size_t frames, ScanForm form) {
  HWY_DYNAMIC_DISPATCH(scan_backward)(a, s, initial, ds, da, dinitial, frames, form);
}

void complex_scan_forward(float lambda_re, float lambda_im, const float* b_re, const float* b_im, float* x_re,
                          float* x_im, std::size_t frames, ScanForm form) {
  HWY_DYNAMIC_DISPATCH(complex_scan_forward)(lambda_re, lambda_im, b_re, b_im, x_re, x_im, frames, form);
}

ComplexGradient complex_scan_backward(float lambda_re, float lambda_im, const float* x_re, const float* x_im,
                                      float* dx_re, float* dx_im, std::size_t frames, ScanForm form) {
  return HWY_DYNAMIC_DISPATCH(complex_scan_backward)(lambda_re, lambda_im, x_re, x_im, dx_re, dx_im, frames, form);
}

}  // namespace hysteron::train
#endif  // HWY_ONCE
