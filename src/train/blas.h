#pragma once

#include <cblas.h>

#include <cstddef>

namespace hysteron::train {

/// C = A' B' + beta C in single precision, row-major, on one thread, where A' is A [rows, inner] or, transposed, A
/// [inner, rows], and B' likewise. The work is OpenBLAS's, loaded at the first call: its 2022 version takes processors
/// that are younger than it for the oldest it knows, so the kernel is chosen here by what the processor can do unless
/// OPENBLAS_CORETYPE is set. Throws a missing-library Error where libopenblas.so.0 is not installed.
struct Product {
  CBLAS_TRANSPOSE a_form = CblasNoTrans;
  CBLAS_TRANSPOSE b_form = CblasNoTrans;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t inner = 0;
  const float* a = nullptr;
  const float* b = nullptr;
  float* c = nullptr;
  float beta = 0.0f;
};
void multiply(const Product& product);

}  // namespace hysteron::train
