#include "hysteron/train/scan.h"

#include <algorithm>
namespace hysteron::train {
constexpr std::size_t L = kScanLanes;
void scan_forward(const float* a, const float* b, const float* initial, float* s, std::size_t frames, ScanForm) {
  float p[L];
  for (std::size_t l = 0; l < L; ++l) p[l] = initial ? initial[l] : 0.0f;
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t l = 0; l < L; ++l) s[t * L + l] = p[l] = a[t * L + l] * p[l] + b[t * L + l];
}
void scan_backward(const float* a, const float* s, const float* initial, float* ds, float* da, float* dinitial,
                   std::size_t frames, ScanForm) {
  float c[L] = {};
  for (std::size_t t = frames; t-- > 0;)
    for (std::size_t l = 0; l < L; ++l) {
      const std::size_t n = t * L + l;
      ds[n] += c[l];
      da[n] = ds[n] * (t > 0 ? s[n - L] : (initial ? initial[l] : 0.0f));
      c[l] = ds[n] * a[n];
    }
  if (dinitial) std::copy_n(c, L, dinitial);
}
void complex_scan_forward(float lr, float li, const float* br, const float* bi, float* xr, float* xi,
                          std::size_t frames, ScanForm) {
  float pr[L] = {}, pi[L] = {};
  for (std::size_t t = 0; t < frames; ++t)
    for (std::size_t l = 0; l < L; ++l) {
      const std::size_t n = t * L + l;
      const float r = lr * pr[l] - li * pi[l] + br[n];
      const float i = lr * pi[l] + li * pr[l] + bi[n];
      xr[n] = pr[l] = r;
      xi[n] = pi[l] = i;
    }
}
ComplexGradient complex_scan_backward(float lr, float li, const float* xr, const float* xi, float* dr, float* di,
                                      std::size_t frames, ScanForm) {
  float cr[L] = {}, ci[L] = {};
  ComplexGradient g;
  for (std::size_t t = frames; t-- > 0;)
    for (std::size_t l = 0; l < L; ++l) {
      const std::size_t n = t * L + l;
      dr[n] += cr[l];
      di[n] += ci[l];
      if (t > 0) {
        g.re += dr[n] * xr[n - L] + di[n] * xi[n - L];
        g.im += di[n] * xr[n - L] - dr[n] * xi[n - L];
      }
      cr[l] = lr * dr[n] + li * di[n];
      ci[l] = lr * di[n] - li * dr[n];
    }
  return g;
}
}  // namespace hysteron::train
