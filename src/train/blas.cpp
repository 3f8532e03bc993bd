#include "train/blas.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"

namespace hysteron::train {
namespace {

constexpr const char* kLibrary = "libopenblas.so.0";

/// The name of the quickest kernels that this processor can run; null where OpenBLAS knows best.
const char* core_type() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
      __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) return "Haswell";
#endif
  return nullptr;
}

class OpenBlas {
 public:
  OpenBlas() {
    // Read when the library is loaded, never after.
    if (core_type() != nullptr) setenv("OPENBLAS_CORETYPE", core_type(), 0);
    void* library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      throw bad_input(fmt::format("OpenBLAS is missing ({}); install libopenblas0-pthread", dlerror()));
    }
    product = reinterpret_cast<decltype(&cblas_sgemm)>(dlsym(library, "cblas_sgemm"));
    const auto set_threads =
        reinterpret_cast<decltype(&openblas_set_num_threads)>(dlsym(library, "openblas_set_num_threads"));
    if (product == nullptr || set_threads == nullptr) {
      throw bad_input(fmt::format("{} is not OpenBLAS: it lacks cblas_sgemm or openblas_set_num_threads", kLibrary));
    }
    set_threads(1);  // passes over shards run side by side already
  }

  decltype(&cblas_sgemm) product = nullptr;
};

int to_int(std::size_t value) { return static_cast<int>(value); }

}  // namespace

void multiply(const Product& product) {
  static const OpenBlas library;
  const std::size_t a_stride = product.a_form == CblasNoTrans ? product.inner : product.rows;
  const std::size_t b_stride = product.b_form == CblasNoTrans ? product.columns : product.inner;
  library.product(CblasRowMajor, product.a_form, product.b_form, to_int(product.rows), to_int(product.columns),
                  to_int(product.inner), 1.0f, product.a, to_int(a_stride), product.b, to_int(b_stride), product.beta,
                  product.c, to_int(product.columns));
}

}  // namespace hysteron::train
