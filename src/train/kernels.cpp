// Highway compiles everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE once for each instruction set by
// including this file again; the functions at the end choose one at run time.

#include "train/kernels.h"

#include <algorithm>
#include <array>
#include <numbers>

#include "train/blas.h"
#include "train/noise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/kernels.cpp"
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)  // blocks hold arrays of vectors
// The order of these is Highway's.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace hysteron::train::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, kLanes>;
using Bits = hn::RebindToUnsigned<Floats>;
using Ints = hn::RebindToSigned<Floats>;
using Float = hn::Vec<Floats>;
using Bit = hn::Vec<Bits>;

constexpr std::size_t kTile = 256;  // columns that stay in the first-level cache while rows are worked through

HWY_INLINE Bit mix(Bit x) {
  const Bits d;
  x = hn::Xor(x, hn::ShiftRight<16>(x));
  x = hn::Mul(x, hn::Set(d, 0x7feb352dU));
  x = hn::Xor(x, hn::ShiftRight<15>(x));
  x = hn::Mul(x, hn::Set(d, 0x846ca68bU));
  return hn::Xor(x, hn::ShiftRight<16>(x));
}

/// noise_bits(key, counter + lane) of src/train/noise.h
HWY_INLINE Bit stream_bits(std::uint32_t key, std::uint32_t counter) {
  const Bits d;
  return mix(hn::Add(hn::Mul(hn::Iota(d, counter), hn::Set(d, 0x9e3779b9U)), hn::Set(d, key)));
}

/// noise_normal(key, counter + lane) of src/train/noise.h
HWY_INLINE Float stream_normal(std::uint32_t key, std::uint32_t counter) {
  const Bits d;
  const Bit bits = stream_bits(key, counter);
  const Bit mask = hn::Set(d, 0xffU);
  const Bit low = hn::Add(hn::And(bits, mask), hn::And(hn::ShiftRight<8>(bits), mask));
  const Bit high = hn::Add(hn::And(hn::ShiftRight<16>(bits), mask), hn::ShiftRight<24>(bits));
  const Float sum = hn::ConvertTo(Floats(), hn::BitCast(Ints(), hn::Add(low, high)));
  return hn::Mul(hn::Sub(sum, hn::Set(Floats(), kByteSumMean)), hn::Set(Floats(), 1.0f / kByteSumDeviation));
}

HWY_INLINE float sum_of(Float v) { return hn::GetLane(hn::SumOfLanes(Floats(), v)); }

/// R rows by C vectors of y = weight x + bias.
template <std::size_t R, std::size_t C>
HWY_INLINE void product_block(const float* weight, const float* bias, const float* x, float* y, std::size_t columns,
                              std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  Float sum[R][C];
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::Set(d, bias == nullptr ? 0.0f : bias[r]);
  }
  for (std::size_t i = 0; i < columns; ++i) {
    Float value[C];
    for (std::size_t c = 0; c < C; ++c) value[c] = hn::LoadU(d, x + i * n + c * lanes);
    for (std::size_t r = 0; r < R; ++r) {
      const Float w = hn::Set(d, weight[r * columns + i]);
      for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::MulAdd(w, value[c], sum[r][c]);
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t c = 0; c < C; ++c) hn::StoreU(sum[r][c], d, y + r * n + c * lanes);
  }
}

template <std::size_t R>
HWY_INLINE void product_rows(const float* weight, const float* bias, const float* x, float* y, std::size_t columns,
                             std::size_t n, std::size_t begin, std::size_t end) {
  const std::size_t lanes = hn::Lanes(Floats());
  std::size_t c = begin;
  for (; c + 2 * lanes <= end; c += 2 * lanes) product_block<R, 2>(weight, bias, x + c, y + c, columns, n);
  for (; c < end; c += lanes) product_block<R, 1>(weight, bias, x + c, y + c, columns, n);
}

void product(const float* weight, const float* bias, const float* x, float* y, std::size_t rows, std::size_t columns,
             std::size_t n) {
  for (std::size_t begin = 0; begin < n; begin += kTile) {
    const std::size_t end = std::min(n, begin + kTile);
    std::size_t j = 0;
    const auto bias_at = [&] { return bias == nullptr ? nullptr : bias + j; };
    for (; j + 4 <= rows; j += 4)
      product_rows<4>(weight + j * columns, bias_at(), x, y + j * n, columns, n, begin, end);
    for (; j + 2 <= rows; j += 2)
      product_rows<2>(weight + j * columns, bias_at(), x, y + j * n, columns, n, begin, end);
    for (; j < rows; ++j) product_rows<1>(weight + j * columns, bias_at(), x, y + j * n, columns, n, begin, end);
  }
}

/// An R x C block of dweight += dy x^T.
template <std::size_t R, std::size_t C>
HWY_INLINE void outer_block(const float* dy, const float* x, float* dweight, std::size_t columns, std::size_t n) {
  const Floats d;
  Float sum[R][C];
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::Zero(d);
  }
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    Float value[C];
    for (std::size_t c = 0; c < C; ++c) value[c] = hn::LoadU(d, x + c * n + k);
    for (std::size_t r = 0; r < R; ++r) {
      const Float g = hn::LoadU(d, dy + r * n + k);
      for (std::size_t c = 0; c < C; ++c) sum[r][c] = hn::MulAdd(g, value[c], sum[r][c]);
    }
  }
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t c = 0; c < C; ++c) dweight[r * columns + c] += sum_of(sum[r][c]);
  }
}

template <std::size_t R>
HWY_INLINE void outer_rows(const float* dy, const float* x, float* dweight, std::size_t columns, std::size_t n) {
  std::size_t i = 0;
  for (; i + 4 <= columns; i += 4) outer_block<R, 4>(dy, x + i * n, dweight + i, columns, n);
  for (; i < columns; ++i) outer_block<R, 1>(dy, x + i * n, dweight + i, columns, n);
}

void outer(const float* dy, const float* x, float* dweight, std::size_t rows, std::size_t columns, std::size_t n) {
  std::size_t j = 0;
  for (; j + 2 <= rows; j += 2) outer_rows<2>(dy + j * n, x, dweight + j * columns, columns, n);
  for (; j < rows; ++j) outer_rows<1>(dy + j * n, x, dweight + j * columns, columns, n);
}

void row_sums(const float* dy, float* dbias, std::size_t rows, std::size_t n) {
  const Floats d;
  for (std::size_t j = 0; j < rows; ++j) {
    Float sum = hn::Zero(d);
    for (std::size_t k = 0; k < n; k += hn::Lanes(d)) sum = hn::Add(sum, hn::LoadU(d, dy + j * n + k));
    dbias[j] += sum_of(sum);
  }
}

void cell_forward(const CellRow& row, float* candidate, float* state) {
  const Floats d;
  const Float zero = hn::Zero(d);
  const Float one = hn::Set(d, 1.0f);
  const Float lo = hn::Set(d, row.beta_lo);
  const Float hi = hn::Set(d, row.beta_hi);
  const Float epsilon = hn::Set(d, row.epsilon);
  const Float noise = hn::Set(d, row.noise);
  for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    Float s = zero;
    for (std::size_t t = 0; t < row.frames; ++t) {
      const std::size_t n = t * kLanes + lane;
      Float c = hn::LoadU(d, candidate + n);
      if (row.noise > 0.0f) {
        c = hn::MulAdd(noise, stream_normal(row.key, row.first + static_cast<std::uint32_t>(n)), c);
      }
      c = hn::Max(c, zero);
      // set: 1 + epsilon s; reset: epsilon s; held: s
      const auto sets = hn::Ge(c, hi);
      const Float left = hn::Mul(epsilon, s);
      const Float moved = hn::Add(left, hn::IfThenElseZero(sets, one));
      const auto moves = hn::Or(sets, hn::Lt(c, lo));
      s = hn::IfThenElse(moves, moved, s);
      hn::StoreU(c, d, candidate + n);
      hn::StoreU(s, d, state + n);
    }
  }
}

/// 1 / (1 + (pi x)^2)
HWY_INLINE Float surrogate(Float x) {
  const Floats d;
  const Float scaled = hn::Mul(x, hn::Set(d, std::numbers::pi_v<float>));
  const Float one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::MulAdd(scaled, scaled, one));
}

/// What one column adds in the backward pass of a cell.
struct MarginTerm {
  Float gradient;  // of the candidate
  Float hinge;
  hn::Mask<Floats> on;
};

HWY_INLINE MarginTerm margin_term(Float c, Float previous, Float lo, Float hi, Float inverse, Float scale) {
  const Floats d;
  const auto on = hn::Ge(previous, hn::Set(d, 0.5f));
  const Float distance = hn::Sub(c, hn::IfThenElse(on, lo, hi));
  const Float hinge = hn::Max(hn::NegMulAdd(hn::Abs(distance), inverse, hn::Set(d, 1.0f)), hn::Zero(d));
  const Float slope = hn::Mul(scale, inverse);
  const Float push = hn::IfThenElse(hn::Lt(distance, hn::Zero(d)), slope, hn::Neg(slope));
  return {hn::IfThenElseZero(hn::Gt(hinge, hn::Zero(d)), push), hinge, on};
}

template <bool kMargin>
CellGradient cell_backward_with(const CellRow& row, const float* candidate, const float* state, float* gradient) {
  const Floats d;
  const Float zero = hn::Zero(d);
  const Float one = hn::Set(d, 1.0f);
  const Float lo = hn::Set(d, row.beta_lo);
  const Float hi = hn::Set(d, row.beta_hi);
  const Float epsilon = hn::Set(d, row.epsilon);
  const Float lost = hn::Set(d, 1.0f - row.epsilon);
  const Float inverse = hn::Set(d, row.margin_inverse);
  Float sum_lo = zero;
  Float sum_hi = zero;
  Float sum_margin = zero;
  for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    const Float weight = hn::LoadU(d, row.lane_weights + lane);
    const Float scale = hn::Mul(weight, hn::Set(d, row.margin_scale));
    Float carry = zero;
    for (std::size_t t = row.frames; t-- > 0;) {
      const std::size_t n = t * kLanes + lane;
      const Float c = hn::LoadU(d, candidate + n);
      const Float previous = t > 0 ? hn::LoadU(d, state + n - kLanes) : zero;
      const Float g = hn::Add(hn::LoadU(d, gradient + n), carry);
      const auto sets = hn::Ge(c, hi);
      const auto above = hn::Ge(c, lo);
      const auto holds = hn::AndNot(sets, above);
      // s = hold s' + (1 - hold)(z_hi + epsilon s'),  hold = H(c - lo)(1 - z_hi),  z_hi = H(c - hi)
      const Float z = hn::IfThenElseZero(sets, one);
      const Float d_hold = hn::Mul(g, hn::MulSub(previous, lost, z));
      const Float d_set = hn::Sub(hn::IfThenZeroElse(holds, g), hn::IfThenElseZero(above, d_hold));
      const Float d_above = hn::IfThenZeroElse(sets, d_hold);
      Float from_hi = hn::Mul(d_set, surrogate(hn::Sub(c, hi)));
      Float from_lo = hn::Mul(d_above, surrogate(hn::Sub(c, lo)));
      if constexpr (kMargin) {
        const MarginTerm term = margin_term(c, previous, lo, hi, inverse, scale);
        from_lo = hn::Add(from_lo, hn::IfThenElseZero(term.on, term.gradient));
        from_hi = hn::Add(from_hi, hn::IfThenZeroElse(term.on, term.gradient));
        sum_margin = hn::MulAdd(weight, term.hinge, sum_margin);
      }
      sum_hi = hn::Sub(sum_hi, from_hi);
      sum_lo = hn::Sub(sum_lo, from_lo);
      carry = hn::IfThenElse(holds, g, hn::Mul(g, epsilon));
      hn::StoreU(hn::IfThenElseZero(hn::Gt(c, zero), hn::Add(from_hi, from_lo)), d, gradient + n);
    }
  }
  return {sum_of(sum_lo), sum_of(sum_hi), sum_of(sum_margin)};
}

CellGradient cell_backward(const CellRow& row, const float* candidate, const float* state, float* gradient) {
  return row.margin_scale > 0.0f ? cell_backward_with<true>(row, candidate, state, gradient)
                                 : cell_backward_with<false>(row, candidate, state, gradient);
}

void output_forward(const DropoutRow& row, float* output, float* v, float* u, std::size_t n) {
  const Floats d;
  const Float zero = hn::Zero(d);
  const Float scale = hn::Set(d, 1.0f / (1.0f - row.share));
  const auto limit = hn::Set(Ints(), static_cast<std::int32_t>(dropout_limit(row.share)));
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    Float o = hn::Max(hn::LoadU(d, output + k), zero);
    if (row.share > 0.0f) {
      const Bit bits = hn::ShiftRight<8>(stream_bits(row.key, row.first + static_cast<std::uint32_t>(k)));
      const auto dropped = hn::RebindMask(d, hn::Lt(hn::BitCast(Ints(), bits), limit));
      o = hn::IfThenZeroElse(dropped, hn::Mul(o, scale));
    }
    const Float sum = hn::Add(hn::LoadU(d, v + k), o);
    hn::StoreU(o, d, output + k);
    hn::StoreU(sum, d, v + k);
    hn::StoreU(hn::Max(sum, zero), d, u + k);
  }
}

void output_backward(float share, const float* output, const float* dv, float* gradient, std::size_t n) {
  const Floats d;
  const Float scale = hn::Set(d, 1.0f / (1.0f - share));
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    const auto passed = hn::Gt(hn::LoadU(d, output + k), hn::Zero(d));
    hn::StoreU(hn::IfThenElseZero(passed, hn::Mul(hn::LoadU(d, dv + k), scale)), d, gradient + k);
  }
}

void rectify(const float* v, float* u, std::size_t n) {
  const Floats d;
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) hn::StoreU(hn::Max(hn::LoadU(d, v + k), hn::Zero(d)), d, u + k);
}

void add_rectified(const float* u, const float* du, float* dv, std::size_t n) {
  const Floats d;
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    const auto passed = hn::Gt(hn::LoadU(d, u + k), hn::Zero(d));
    hn::StoreU(hn::Add(hn::LoadU(d, dv + k), hn::IfThenElseZero(passed, hn::LoadU(d, du + k))), d, dv + k);
  }
}

void add_noise(float deviation, std::uint32_t key, std::uint32_t first, float* x, std::size_t n) {
  const Floats d;
  const Float scale = hn::Set(d, deviation);
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    const Float noise = stream_normal(key, first + static_cast<std::uint32_t>(k));
    hn::StoreU(hn::MulAdd(scale, noise, hn::LoadU(d, x + k)), d, x + k);
  }
}

void scale_by_noise(float deviation, std::uint32_t key, std::uint32_t first, float* x, std::size_t n) {
  const Floats d;
  const Float scale = hn::Set(d, deviation);
  const Float one = hn::Set(d, 1.0f);
  for (std::size_t k = 0; k < n; k += hn::Lanes(d)) {
    const Float noise = stream_normal(key, first + static_cast<std::uint32_t>(k));
    hn::StoreU(hn::Mul(hn::MulAdd(scale, noise, one), hn::LoadU(d, x + k)), d, x + k);
  }
}

/// Turns kLanes / Lanes of the columns' logits into probabilities.
HWY_INLINE void softmax_columns(float* logits, std::size_t outputs, std::size_t frames, std::size_t lane, Bit label,
                                Float weight, CrossEntropy& result, Float& label_sum) {
  const Floats d;
  const Bits b;
  const std::size_t n = frames * kLanes;
  Float loss = hn::Zero(d);
  Float right = hn::Zero(d);
  for (std::size_t column = lane; column < n; column += kLanes) {
    Float largest = hn::LoadU(d, logits + column);
    for (std::size_t k = 1; k < outputs; ++k) largest = hn::Max(largest, hn::LoadU(d, logits + k * n + column));
    Float sum = hn::Zero(d);
    Float own = hn::Zero(d);
    Float own_power = hn::Zero(d);
    for (std::size_t k = 0; k < outputs; ++k) {
      const Float value = hn::Sub(hn::LoadU(d, logits + k * n + column), largest);
      const Float power = hn::Exp(d, value);
      const auto is_label = hn::RebindMask(d, hn::Eq(label, hn::Set(b, static_cast<std::uint32_t>(k))));
      own = hn::IfThenElse(is_label, value, own);
      own_power = hn::IfThenElse(is_label, power, own_power);
      sum = hn::Add(sum, power);
      hn::StoreU(power, d, logits + k * n + column);
    }
    const Float inverse = hn::Div(hn::Set(d, 1.0f), sum);
    loss = hn::MulAdd(weight, hn::Sub(hn::Log(d, sum), own), loss);
    right = hn::Add(right, hn::IfThenElseZero(hn::Ge(own, hn::Zero(d)), weight));
    label_sum = hn::MulAdd(own_power, inverse, label_sum);
    for (std::size_t k = 0; k < outputs; ++k) {
      hn::StoreU(hn::Mul(hn::LoadU(d, logits + k * n + column), inverse), d, logits + k * n + column);
    }
  }
  result.frame_loss += sum_of(loss);
  result.right += sum_of(right);
}

CrossEntropy cross_entropy(float* logits, std::size_t outputs, std::size_t frames, const std::uint32_t* labels,
                           const float* lane_weights, float vote_share, float scale) {
  const Floats d;
  const Bits b;
  const std::size_t n = frames * kLanes;
  CrossEntropy result;
  for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
    const Float weight = hn::LoadU(d, lane_weights + lane);
    const Bit label = hn::LoadU(b, labels + lane);
    Float label_sum = hn::Zero(d);
    softmax_columns(logits, outputs, frames, lane, label, weight, result, label_sum);
    const Float mean = hn::Max(hn::Mul(label_sum, hn::Set(d, 1.0f / static_cast<float>(frames))), hn::Set(d, 1e-6f));
    result.vote_loss -= sum_of(hn::Mul(weight, hn::Log(d, mean)));
    // d/dlogit_k = (p_k - [k is label]) ((1 - vote_share) + vote_share p_label / mean p_label)
    const Float slope = hn::Mul(weight, hn::Set(d, scale));
    const Float frame_part = hn::Mul(slope, hn::Set(d, 1.0f - vote_share));
    const Float vote_part = hn::Div(hn::Mul(slope, hn::Set(d, vote_share)), mean);
    for (std::size_t column = lane; column < n; column += kLanes) {
      Float own = hn::Zero(d);
      for (std::size_t k = 0; k < outputs; ++k) {
        const auto is_label = hn::RebindMask(d, hn::Eq(label, hn::Set(b, static_cast<std::uint32_t>(k))));
        own = hn::IfThenElse(is_label, hn::LoadU(d, logits + k * n + column), own);
      }
      const Float factor = hn::MulAdd(own, vote_part, frame_part);
      for (std::size_t k = 0; k < outputs; ++k) {
        const auto is_label = hn::RebindMask(d, hn::Eq(label, hn::Set(b, static_cast<std::uint32_t>(k))));
        const Float p = hn::LoadU(d, logits + k * n + column);
        const Float target = hn::IfThenElseZero(is_label, hn::Set(d, 1.0f));
        hn::StoreU(hn::Mul(hn::Sub(p, target), factor), d, logits + k * n + column);
      }
    }
  }
  return result;
}

}  // namespace
}  // namespace hysteron::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hysteron::train {

HWY_EXPORT(product);
HWY_EXPORT(outer);
HWY_EXPORT(row_sums);
HWY_EXPORT(cell_forward);
HWY_EXPORT(cell_backward);
HWY_EXPORT(output_forward);
HWY_EXPORT(output_backward);
HWY_EXPORT(rectify);
HWY_EXPORT(add_rectified);
HWY_EXPORT(add_noise);
HWY_EXPORT(scale_by_noise);
HWY_EXPORT(cross_entropy);

namespace {

// Above this many weights OpenBLAS is as quick as the blocks here or quicker (docs/notes/training-defaults.md).
constexpr std::size_t kBlasWeights = 24 * 24;

bool use_blas(std::size_t rows, std::size_t columns) { return rows * columns > kBlasWeights; }

}  // namespace

void affine_forward(const float* weight, const float* bias, const float* x, float* y, std::size_t rows,
                    std::size_t columns, std::size_t n) {
  if (!use_blas(rows, columns)) {
    HWY_DYNAMIC_DISPATCH(product)(weight, bias, x, y, rows, columns, n);
    return;
  }
  for (std::size_t j = 0; j < rows; ++j) std::fill_n(y + j * n, n, bias == nullptr ? 0.0f : bias[j]);
  multiply({CblasNoTrans, CblasNoTrans, rows, n, columns, weight, x, y, 1.0f});
}

void affine_gradient(const float* dy, const float* x, float* dweight, float* dbias, std::size_t rows,
                     std::size_t columns, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(row_sums)(dy, dbias, rows, n);
  if (!use_blas(rows, columns)) {
    HWY_DYNAMIC_DISPATCH(outer)(dy, x, dweight, rows, columns, n);
    return;
  }
  multiply({CblasNoTrans, CblasTrans, rows, columns, n, dy, x, dweight, 1.0f});
}

void affine_backward(const float* weight, const float* dy, float* dx, float* scratch, std::size_t rows,
                     std::size_t columns, std::size_t n) {
  if (!use_blas(rows, columns)) {
    for (std::size_t j = 0; j < rows; ++j) {
      for (std::size_t i = 0; i < columns; ++i) scratch[i * rows + j] = weight[j * columns + i];
    }
    HWY_DYNAMIC_DISPATCH(product)(scratch, nullptr, dy, dx, columns, rows, n);
    return;
  }
  multiply({CblasTrans, CblasNoTrans, columns, n, rows, weight, dy, dx, 0.0f});
}

void cell_forward(const CellRow& row, float* candidate, float* state) {
  HWY_DYNAMIC_DISPATCH(cell_forward)(row, candidate, state);
}

CellGradient cell_backward(const CellRow& row, const float* candidate, const float* state, float* gradient) {
  return HWY_DYNAMIC_DISPATCH(cell_backward)(row, candidate, state, gradient);
}

void output_forward(const DropoutRow& row, float* output, float* v, float* u, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(output_forward)(row, output, v, u, n);
}

void output_backward(float share, const float* output, const float* dv, float* gradient, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(output_backward)(share, output, dv, gradient, n);
}

void rectify(const float* v, float* u, std::size_t n) { HWY_DYNAMIC_DISPATCH(rectify)(v, u, n); }

void add_rectified(const float* u, const float* du, float* dv, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(add_rectified)(u, du, dv, n);
}

void add_noise(float deviation, std::uint32_t key, std::uint32_t first, float* x, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(add_noise)(deviation, key, first, x, n);
}

void scale_by_noise(float deviation, std::uint32_t key, std::uint32_t first, float* x, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(scale_by_noise)(deviation, key, first, x, n);
}

CrossEntropy cross_entropy(float* logits, std::size_t outputs, std::size_t frames, const std::uint32_t* labels,
                           const float* lane_weights, float vote_share, float scale) {
  return HWY_DYNAMIC_DISPATCH(cross_entropy)(logits, outputs, frames, labels, lane_weights, vote_share, scale);
}

}  // namespace hysteron::train
#endif  // HWY_ONCE
