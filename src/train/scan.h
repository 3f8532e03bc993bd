#pragma once

#include <cstddef>
#include <cstdint>

namespace hysteron::train {

inline constexpr std::size_t kScanLanes = 16;  ///< sequences side by side

/// The linear recurrence s_t = a_t s_{t-1} + b_t of kScanLanes sequences. Arrays are [frames][kScanLanes];
/// `initial` is s_{-1} [kScanLanes], null for 0.
void scan_forward(const float* a, const float* b, const float* initial, float* s, std::size_t frames);

/// The gradient of scan_forward. `ds` comes in as the loss's direct derivative with respect to s and leaves as the
/// whole one, which is the one with respect to b; `da` receives the one with respect to a and, where it is not null,
/// `dinitial` [kScanLanes] the one with respect to `initial`.
void scan_backward(const float* a, const float* s, const float* initial, float* ds, float* da, float* dinitial,
                   std::size_t frames);

/// The same with a complex factor that is constant in time: x_t = lambda x_{t-1} + b_t, x_{-1} = 0.
void complex_scan_forward(float lambda_re, float lambda_im, const float* b_re, const float* b_im, float* x_re,
                          float* x_im, std::size_t frames);

struct ComplexGradient {
  double re = 0.0;
  double im = 0.0;
};

/// Its gradient: `dx_re`, `dx_im` as `ds` above; returns the derivatives with respect to the two parts of lambda,
/// summed over frames and lanes.
ComplexGradient complex_scan_backward(float lambda_re, float lambda_im, const float* x_re, const float* x_im,
                                      float* dx_re, float* dx_im, std::size_t frames);

}  // namespace hysteron::train
