#include "train/scan.h"

#include <gtest/gtest.h>

#include <complex>
#include <vector>

#include "base/random.h"

namespace hysteron::train {
namespace {

constexpr double kTolerance = 2e-5;  // of sums whose terms are at most 1 and factors below 0.95

const std::vector<std::size_t> kFrames = {1, 2, 3, 4, 5, 7, 8, 31, 64, 101};

std::vector<float> random_values(std::size_t size, std::uint64_t seed, double low = -1.0, double high = 1.0) {
  Random random(seed);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.uniform(low, high));
  return values;
}

struct RealCase {
  explicit RealCase(std::size_t frame_count)
      : frames(frame_count),
        a(random_values(frames * kScanLanes, 1, -0.95, 0.95)),
        b(random_values(frames * kScanLanes, 2)),
        weight(random_values(frames * kScanLanes, 3)),
        initial(random_values(kScanLanes, 4)) {}

  /// States of one lane in double precision; `nudged` (a or b) gets `step` at frame `at`.
  std::vector<double> states(std::size_t lane, const std::vector<float>* nudged, std::size_t at, double step) const {
    std::vector<double> s(frames);
    double before = initial[lane] + (nudged == &initial ? step : 0.0);
    for (std::size_t t = 0; t < frames; ++t) {
      const double here = t == at ? step : 0.0;
      const double factor = a[t * kScanLanes + lane] + (nudged == &a ? here : 0.0);
      const double input = b[t * kScanLanes + lane] + (nudged == &b ? here : 0.0);
      s[t] = before = factor * before + input;
    }
    return s;
  }

  double loss(std::size_t lane, const std::vector<float>* nudged, std::size_t at, double step) const {
    const std::vector<double> s = states(lane, nudged, at, step);
    double sum = 0.0;
    for (std::size_t t = 0; t < frames; ++t) sum += weight[t * kScanLanes + lane] * s[t];
    return sum;
  }

  /// Central difference; exact but for rounding, as the loss is linear in each argument.
  double slope(std::size_t lane, const std::vector<float>& nudged, std::size_t at) const {
    return (loss(lane, &nudged, at, 0.5) - loss(lane, &nudged, at, -0.5));
  }

  std::size_t frames;
  std::vector<float> a;
  std::vector<float> b;
  std::vector<float> weight;
  std::vector<float> initial;
};

TEST(Scan, IsTheRecurrence) {
  for (const std::size_t frames : kFrames) {
    const RealCase data(frames);
    {
      std::vector<float> s(frames * kScanLanes);
      scan_forward(data.a.data(), data.b.data(), data.initial.data(), s.data(), frames);
      for (std::size_t lane = 0; lane < kScanLanes; ++lane) {
        const std::vector<double> expected = data.states(lane, nullptr, 0, 0.0);
        for (std::size_t t = 0; t < frames; ++t) {
          ASSERT_NEAR(s[t * kScanLanes + lane], expected[t], kTolerance) << frames << " frames, frame " << t;
        }
      }
    }
  }
}

TEST(Scan, HasTheGradientOfFiniteDifferences) {
  for (const std::size_t frames : kFrames) {
    const RealCase data(frames);
    {
      std::vector<float> s(frames * kScanLanes);
      std::vector<float> ds = data.weight;
      std::vector<float> da(s.size());
      std::vector<float> dinitial(kScanLanes);
      scan_forward(data.a.data(), data.b.data(), data.initial.data(), s.data(), frames);
      scan_backward(data.a.data(), s.data(), data.initial.data(), ds.data(), da.data(), dinitial.data(), frames);
      for (std::size_t lane = 0; lane < kScanLanes; lane += 5) {
        ASSERT_NEAR(dinitial[lane], data.slope(lane, data.initial, frames), kTolerance);
        for (std::size_t t = 0; t < frames; ++t) {
          ASSERT_NEAR(ds[t * kScanLanes + lane], data.slope(lane, data.b, t), kTolerance) << "frame " << t;
          ASSERT_NEAR(da[t * kScanLanes + lane], data.slope(lane, data.a, t), kTolerance) << "frame " << t;
        }
      }
    }
  }
}

TEST(Scan, StartsFromZeroWithoutAnInitialState) {
  RealCase data(9);
  std::vector<float> s(data.b.size());
  std::vector<float> with_zero(data.b.size());
  const std::vector<float> zero(kScanLanes, 0.0f);
  {
    scan_forward(data.a.data(), data.b.data(), nullptr, s.data(), data.frames);
    scan_forward(data.a.data(), data.b.data(), zero.data(), with_zero.data(), data.frames);
    EXPECT_EQ(s, with_zero);
    std::vector<float> ds = data.weight;
    std::vector<float> da(s.size());
    scan_backward(data.a.data(), s.data(), nullptr, ds.data(), da.data(), nullptr, data.frames);
    EXPECT_EQ(da[0], 0.0f);
  }
}

TEST(Scan, HoldsBinaryStatesExactly) {
  constexpr std::size_t kCount = 50;
  std::vector<float> a(kCount * kScanLanes, 1.0f);
  std::vector<float> b(kCount * kScanLanes, 0.0f);
  std::fill_n(a.begin() + 20 * kScanLanes, kScanLanes, 0.0f);
  std::fill_n(b.begin() + 20 * kScanLanes, kScanLanes, 1.0f);
  std::vector<float> s(a.size());
  {
    scan_forward(a.data(), b.data(), nullptr, s.data(), kCount);
    for (std::size_t n = 0; n < s.size(); ++n) ASSERT_EQ(s[n], n / kScanLanes >= 20 ? 1.0f : 0.0f);
  }
}

using Complex = std::complex<double>;

const Complex kLambda(0.83, -0.41);  // magnitude 0.926

struct ComplexCase {
  explicit ComplexCase(std::size_t frame_count)
      : frames(frame_count),
        b_re(random_values(frames * kScanLanes, 5)),
        b_im(random_values(frames * kScanLanes, 6)),
        weight_re(random_values(frames * kScanLanes, 7)),
        weight_im(random_values(frames * kScanLanes, 8)) {}

  std::vector<Complex> states(const Complex& lambda) const {
    std::vector<Complex> x(frames * kScanLanes);
    for (std::size_t n = 0; n < x.size(); ++n) {
      x[n] = Complex(b_re[n], b_im[n]) + (n < kScanLanes ? 0.0 : lambda * x[n - kScanLanes]);
    }
    return x;
  }

  double loss(const Complex& lambda) const {
    const std::vector<Complex> x = states(lambda);
    double sum = 0.0;
    for (std::size_t n = 0; n < x.size(); ++n) sum += weight_re[n] * x[n].real() + weight_im[n] * x[n].imag();
    return sum;
  }

  std::size_t frames;
  std::vector<float> b_re;
  std::vector<float> b_im;
  std::vector<float> weight_re;
  std::vector<float> weight_im;
};

TEST(ComplexScan, IsTheRecurrence) {
  for (const std::size_t frames : kFrames) {
    const ComplexCase data(frames);
    const std::vector<Complex> expected = data.states(kLambda);
    {
      std::vector<float> re(expected.size());
      std::vector<float> im(expected.size());
      complex_scan_forward(static_cast<float>(kLambda.real()), static_cast<float>(kLambda.imag()), data.b_re.data(),
                           data.b_im.data(), re.data(), im.data(), frames);
      for (std::size_t n = 0; n < expected.size(); ++n) {
        ASSERT_NEAR(re[n], expected[n].real(), kTolerance) << frames << " frames";
        ASSERT_NEAR(im[n], expected[n].imag(), kTolerance) << frames << " frames";
      }
    }
  }
}

TEST(ComplexScan, HasTheGradientOfTheFormula) {
  for (const std::size_t frames : kFrames) {
    const ComplexCase data(frames);
    const std::vector<Complex> x = data.states(kLambda);
    // dL/dinput_t = sum over later frames u of conj(lambda)^(u-t) weight_u
    std::vector<Complex> expected(x.size());
    for (std::size_t n = x.size(); n-- > 0;) {
      const Complex later = n + kScanLanes < x.size() ? expected[n + kScanLanes] : 0.0;
      expected[n] = Complex(data.weight_re[n], data.weight_im[n]) + std::conj(kLambda) * later;
    }
    constexpr double kStep = 1e-5;
    const double slope_re = (data.loss(kLambda + kStep) - data.loss(kLambda - kStep)) / (2 * kStep);
    const Complex up(0.0, kStep);
    const double slope_im = (data.loss(kLambda + up) - data.loss(kLambda - up)) / (2 * kStep);
    {
      const auto re = static_cast<float>(kLambda.real());
      const auto im = static_cast<float>(kLambda.imag());
      std::vector<float> x_re(x.size());
      std::vector<float> x_im(x.size());
      complex_scan_forward(re, im, data.b_re.data(), data.b_im.data(), x_re.data(), x_im.data(), frames);
      std::vector<float> dx_re = data.weight_re;
      std::vector<float> dx_im = data.weight_im;
      const ComplexGradient gradient =
          complex_scan_backward(re, im, x_re.data(), x_im.data(), dx_re.data(), dx_im.data(), frames);
      for (std::size_t n = 0; n < x.size(); ++n) {
        ASSERT_NEAR(dx_re[n], expected[n].real(), kTolerance) << frames << " frames";
        ASSERT_NEAR(dx_im[n], expected[n].imag(), kTolerance) << frames << " frames";
      }
      EXPECT_NEAR(gradient.re, slope_re, 1e-3 * (1.0 + std::abs(slope_re))) << frames << " frames";
      EXPECT_NEAR(gradient.im, slope_im, 1e-3 * (1.0 + std::abs(slope_im))) << frames << " frames";
    }
  }
}

}  // namespace
}  // namespace hysteron::train
