// Compiled once for each instruction set by Highway, as kernels.cpp is.

#include "train/ops.h"

#include <numbers>

#include "train/kernels.h"
#include "train/noise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/ops.cpp"
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
using Float = hn::Vec<Floats>;

constexpr float kNormFloor = 1e-5f;  // added to the variance in layer norm

HWY_INLINE Float load(const float* x) { return hn::LoadU(Floats(), x); }
HWY_INLINE void store(Float v, float* x) { hn::StoreU(v, Floats(), x); }
HWY_INLINE Float set(float x) { return hn::Set(Floats(), x); }
HWY_INLINE Float zero() { return hn::Zero(Floats()); }
HWY_INLINE std::size_t lanes() { return hn::Lanes(Floats()); }
HWY_INLINE double sum_of(Float v) { return hn::GetLane(hn::SumOfLanes(Floats(), v)); }

HWY_INLINE Float sigmoid(Float x) {
  const Float power = hn::Exp(Floats(), hn::Neg(hn::Min(hn::Max(x, set(-80.0f)), set(80.0f))));
  return hn::Div(set(1.0f), hn::Add(set(1.0f), power));
}

/// tanh(x) = 2 sigmoid(2 x) - 1
HWY_INLINE Float tanh_of(Float x) { return hn::MulSub(set(2.0f), sigmoid(hn::Add(x, x)), set(1.0f)); }

/// 1 / (1 + (pi x)^2)
HWY_INLINE Float surrogate(Float x) {
  const Float scaled = hn::Mul(x, set(std::numbers::pi_v<float>));
  return hn::Div(set(1.0f), hn::MulAdd(scaled, scaled, set(1.0f)));
}

/// 1 or -1; 1 at 0.
HWY_INLINE Float sign(Float x) { return hn::IfThenElse(hn::Lt(x, zero()), set(-1.0f), set(1.0f)); }

}  // namespace

void layer_norm_forward(const float* x, const float* gain, const float* bias, float* y, float* normalised,
                        float* inverse, std::size_t rows, std::size_t n) {
  const Float share = set(1.0f / static_cast<float>(rows));
  for (std::size_t k = 0; k < n; k += lanes()) {
    Float mean = zero();
    for (std::size_t i = 0; i < rows; ++i) mean = hn::Add(mean, load(x + i * n + k));
    mean = hn::Mul(mean, share);
    Float variance = zero();
    for (std::size_t i = 0; i < rows; ++i) {
      const Float difference = hn::Sub(load(x + i * n + k), mean);
      variance = hn::MulAdd(difference, difference, variance);
    }
    const Float factor = hn::Div(set(1.0f), hn::Sqrt(hn::MulAdd(variance, share, set(kNormFloor))));
    store(factor, inverse + k);
    for (std::size_t i = 0; i < rows; ++i) {
      const Float value = hn::Mul(hn::Sub(load(x + i * n + k), mean), factor);
      store(value, normalised + i * n + k);
      store(hn::MulAdd(value, set(gain[i]), set(bias[i])), y + i * n + k);
    }
  }
}

double dot(const float* x, const float* y, std::size_t n) {
  Float total = zero();
  for (std::size_t k = 0; k < n; k += lanes()) total = hn::MulAdd(load(x + k), load(y + k), total);
  return sum_of(total);
}

double sum(const float* x, std::size_t n) {
  Float total = zero();
  for (std::size_t k = 0; k < n; k += lanes()) total = hn::Add(total, load(x + k));
  return sum_of(total);
}

void layer_norm_backward(const float* dy, const float* gain, const float* normalised, const float* inverse, float* dx,
                         float* dgain, float* dbias, std::size_t rows, std::size_t n) {
  for (std::size_t i = 0; i < rows; ++i) {
    dgain[i] += static_cast<float>(dot(dy + i * n, normalised + i * n, n));
    dbias[i] += static_cast<float>(sum(dy + i * n, n));
  }
  const Float share = set(1.0f / static_cast<float>(rows));
  for (std::size_t k = 0; k < n; k += lanes()) {
    Float mean = zero();
    Float along = zero();  // mean of the gradient along the normalised value
    for (std::size_t i = 0; i < rows; ++i) {
      const Float g = hn::Mul(load(dy + i * n + k), set(gain[i]));
      mean = hn::Add(mean, g);
      along = hn::MulAdd(g, load(normalised + i * n + k), along);
    }
    mean = hn::Mul(mean, share);
    along = hn::Mul(along, share);
    const Float factor = load(inverse + k);
    for (std::size_t i = 0; i < rows; ++i) {
      const Float g = hn::Mul(load(dy + i * n + k), set(gain[i]));
      const Float rest = hn::NegMulAdd(along, load(normalised + i * n + k), hn::Sub(g, mean));
      store(hn::MulAdd(factor, rest, load(dx + i * n + k)), dx + i * n + k);
    }
  }
}

void gate_forward(float* gate, const float* value, float* y, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float open = sigmoid(load(gate + k));
    store(open, gate + k);
    store(hn::Mul(open, load(value + k)), y + k);
  }
}

void gate_backward(const float* dy, const float* gate, const float* value, float* dgate, float* dvalue, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float g = load(dy + k);
    const Float open = load(gate + k);
    const Float slope = hn::Mul(open, hn::Sub(set(1.0f), open));
    const Float through = hn::Mul(hn::Mul(g, load(value + k)), slope);
    store(hn::Mul(g, open), dvalue + k);
    store(through, dgate + k);
  }
}

void drop(float share, std::uint32_t key, float* x, std::size_t n) {
  const Bits b;
  const Float scale = set(1.0f / (1.0f - share));
  const auto limit = hn::Set(b, dropout_limit(share));
  for (std::size_t k = 0; k < n; k += lanes()) {
    auto bits = hn::Add(hn::Mul(hn::Iota(b, static_cast<std::uint32_t>(k)), hn::Set(b, 0x9e3779b9U)), hn::Set(b, key));
    bits = hn::Xor(bits, hn::ShiftRight<16>(bits));
    bits = hn::Mul(bits, hn::Set(b, 0x7feb352dU));
    bits = hn::Xor(bits, hn::ShiftRight<15>(bits));
    bits = hn::Mul(bits, hn::Set(b, 0x846ca68bU));
    bits = hn::Xor(bits, hn::ShiftRight<16>(bits));
    const auto dropped = hn::RebindMask(Floats(), hn::Lt(hn::ShiftRight<8>(bits), limit));
    store(hn::IfThenZeroElse(dropped, hn::Mul(load(x + k), scale)), x + k);
  }
}

void add(const float* x, float* y, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) store(hn::Add(load(x + k), load(y + k)), y + k);
}

void add_scaled(float factor, const float* x, float* y, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) store(hn::MulAdd(set(factor), load(x + k), load(y + k)), y + k);
}

void rectify_backward(const float* y, float* dx, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    store(hn::IfThenElseZero(hn::Gt(load(y + k), zero()), load(dx + k)), dx + k);
  }
}

void fq_coefficients(const float* candidate, float lo, float hi, float epsilon, float* a, float* b, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float c = load(candidate + k);
    const auto sets = hn::Ge(c, set(hi));
    const auto holds = hn::AndNot(sets, hn::Ge(c, set(lo)));
    store(hn::IfThenElse(holds, set(1.0f), set(epsilon)), a + k);
    store(hn::IfThenElseZero(sets, set(1.0f)), b + k);
  }
}

ThresholdGradient fq_backward(const float* candidate, float lo, float hi, float epsilon, const float* da,
                              const float* db, float* dcandidate, std::size_t n) {
  Float sum_lo = zero();
  Float sum_hi = zero();
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float c = load(candidate + k);
    const auto sets = hn::Ge(c, set(hi));
    const auto above = hn::Ge(c, set(lo));
    // a = hold + (1 - hold) epsilon, b = (1 - hold) z_hi, hold = H(c - lo) (1 - z_hi), z_hi = H(c - hi)
    const Float direct = load(db + k);
    const Float d_hold = hn::Sub(hn::Mul(load(da + k), set(1.0f - epsilon)), hn::IfThenElseZero(sets, direct));
    const auto holds = hn::AndNot(sets, above);
    const Float d_set = hn::Sub(hn::IfThenZeroElse(holds, direct), hn::IfThenElseZero(above, d_hold));
    const Float d_above = hn::IfThenZeroElse(sets, d_hold);
    const Float from_hi = hn::Mul(d_set, surrogate(hn::Sub(c, set(hi))));
    const Float from_lo = hn::Mul(d_above, surrogate(hn::Sub(c, set(lo))));
    sum_hi = hn::Sub(sum_hi, from_hi);
    sum_lo = hn::Sub(sum_lo, from_lo);
    store(hn::IfThenElseZero(hn::Gt(c, zero()), hn::Add(from_hi, from_lo)), dcandidate + k);
  }
  return {sum_of(sum_lo), sum_of(sum_hi)};
}

void bmru_coefficients(const float* c, const float* beta, float epsilon, float* a, float* b, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float value = load(c + k);
    const auto moves = hn::Ge(hn::Abs(value), hn::Abs(load(beta + k)));
    store(hn::IfThenElse(moves, set(epsilon), set(1.0f)), a + k);
    store(hn::IfThenElseZero(moves, sign(value)), b + k);
  }
}

void bmru_backward(const float* c, const float* beta, float epsilon, const float* da, const float* db, float* dc,
                   float* dbeta, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float value = load(c + k);
    const Float threshold = load(beta + k);
    const Float direction = sign(value);
    const Float distance = hn::Sub(hn::Abs(value), hn::Abs(threshold));
    const Float direct = load(db + k);
    const Float d_move = hn::MulAdd(load(da + k), set(epsilon - 1.0f), hn::Mul(direct, direction));
    const Float d_distance = hn::Mul(d_move, surrogate(distance));
    const Float d_sign = hn::IfThenElseZero(hn::Ge(distance, zero()), direct);
    const Float through_sign = hn::Mul(hn::Mul(d_sign, set(2.0f)), surrogate(value));
    store(hn::MulAdd(d_distance, direction, through_sign), dc + k);
    store(hn::Neg(hn::Mul(d_distance, sign(threshold))), dbeta + k);
  }
}

void min_gru_coefficients(float* z, const float* h, float* a, float* b, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float open = sigmoid(load(z + k));
    store(open, z + k);
    store(hn::Sub(set(1.0f), open), a + k);
    store(hn::Mul(open, load(h + k)), b + k);
  }
}

void min_gru_backward(const float* z, const float* h, const float* da, const float* db, float* dz, float* dh,
                      std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float open = load(z + k);
    const Float direct = load(db + k);
    const Float d_open = hn::MulSub(direct, load(h + k), load(da + k));
    store(hn::Mul(d_open, hn::Mul(open, hn::Sub(set(1.0f), open))), dz + k);
    store(hn::Mul(direct, open), dh + k);
  }
}

void gru_forward(const GruRow& row, const float* previous, float* h, std::size_t n) {
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float r = sigmoid(hn::Add(load(row.reset + k), load(row.recurrent_reset + k)));
    const Float z = sigmoid(hn::Add(load(row.update + k), load(row.recurrent_update + k)));
    const Float c = tanh_of(hn::MulAdd(r, load(row.recurrent_candidate + k), load(row.candidate + k)));
    store(r, row.reset + k);
    store(z, row.update + k);
    store(c, row.candidate + k);
    store(hn::MulAdd(z, hn::Sub(load(previous + k), c), c), h + k);
  }
}

void gru_backward(const GruRow& row, const float* previous, const float* dh, const GruGradient& gradient,
                  std::size_t n) {
  const Float one = set(1.0f);
  for (std::size_t k = 0; k < n; k += lanes()) {
    const Float g = load(dh + k);
    const Float r = load(row.reset + k);
    const Float z = load(row.update + k);
    const Float c = load(row.candidate + k);
    const Float d_candidate = hn::Mul(hn::Mul(g, hn::Sub(one, z)), hn::NegMulAdd(c, c, one));
    const Float d_reset = hn::Mul(d_candidate, load(row.recurrent_candidate + k));
    const Float d_update = hn::Mul(g, hn::Sub(load(previous + k), c));
    store(d_candidate, gradient.candidate + k);
    store(hn::Mul(d_candidate, r), gradient.recurrent_candidate + k);
    store(hn::Mul(d_reset, hn::Mul(r, hn::Sub(one, r))), gradient.reset + k);
    store(hn::Mul(d_update, hn::Mul(z, hn::Sub(one, z))), gradient.update + k);
    store(hn::Mul(g, z), gradient.previous + k);
  }
}

FrameLoss frame_cross_entropy(float* logits, std::size_t outputs, const std::uint32_t* targets, const float* weights,
                              float scale, std::size_t n) {
  const Floats d;
  const Bits b;
  Float loss = zero();
  Float right = zero();
  FrameLoss total;
  for (std::size_t k = 0; k < n; k += lanes()) {
    const auto target = hn::LoadU(b, targets + k);
    const auto is_target = [&](std::size_t j) HWY_ATTR {
      return hn::RebindMask(d, hn::Eq(target, hn::Set(b, static_cast<std::uint32_t>(j))));
    };
    const Float weight = load(weights + k);
    Float largest = load(logits + k);
    for (std::size_t j = 1; j < outputs; ++j) largest = hn::Max(largest, load(logits + j * n + k));
    Float total_power = zero();
    Float own = zero();
    for (std::size_t j = 0; j < outputs; ++j) {
      const Float value = hn::Sub(load(logits + j * n + k), largest);
      const Float power = hn::Exp(d, hn::Max(value, set(-80.0f)));
      own = hn::IfThenElse(is_target(j), value, own);
      total_power = hn::Add(total_power, power);
      store(power, logits + j * n + k);
    }
    loss = hn::MulAdd(weight, hn::Sub(hn::Log(d, total_power), own), loss);
    right = hn::Add(right, hn::IfThenElseZero(hn::Ge(own, zero()), weight));
    const Float factor = hn::Mul(weight, set(scale));
    const Float inverse = hn::Div(factor, total_power);
    for (std::size_t j = 0; j < outputs; ++j) {
      const Float part = hn::Mul(load(logits + j * n + k), inverse);
      store(hn::Sub(part, hn::IfThenElseZero(is_target(j), factor)), logits + j * n + k);
    }
    if (k % 4096 == 0) {  // long sums in double
      total.loss += sum_of(loss);
      total.right += sum_of(right);
      loss = zero();
      right = zero();
    }
  }
  total.loss += sum_of(loss);
  total.right += sum_of(right);
  return total;
}

}  // namespace hysteron::train::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hysteron::train {

HWY_EXPORT(layer_norm_forward);
HWY_EXPORT(layer_norm_backward);
HWY_EXPORT(gate_forward);
HWY_EXPORT(gate_backward);
HWY_EXPORT(drop);
HWY_EXPORT(add);
HWY_EXPORT(add_scaled);
HWY_EXPORT(dot);
HWY_EXPORT(sum);
HWY_EXPORT(rectify_backward);
HWY_EXPORT(fq_coefficients);
HWY_EXPORT(fq_backward);
HWY_EXPORT(bmru_coefficients);
HWY_EXPORT(bmru_backward);
HWY_EXPORT(min_gru_coefficients);
HWY_EXPORT(min_gru_backward);
HWY_EXPORT(gru_forward);
HWY_EXPORT(gru_backward);
HWY_EXPORT(frame_cross_entropy);

void layer_norm_forward(const float* x, const float* gain, const float* bias, float* y, float* normalised,
                        float* inverse, std::size_t rows, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(layer_norm_forward)(x, gain, bias, y, normalised, inverse, rows, n);
}

void layer_norm_backward(const float* dy, const float* gain, const float* normalised, const float* inverse, float* dx,
                         float* dgain, float* dbias, std::size_t rows, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(layer_norm_backward)(dy, gain, normalised, inverse, dx, dgain, dbias, rows, n);
}

void gate_forward(float* gate, const float* value, float* y, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(gate_forward)(gate, value, y, n);
}

void gate_backward(const float* dy, const float* gate, const float* value, float* dgate, float* dvalue, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(gate_backward)(dy, gate, value, dgate, dvalue, n);
}

void drop(float share, std::uint32_t key, float* x, std::size_t n) { HWY_DYNAMIC_DISPATCH(drop)(share, key, x, n); }

void add(const float* x, float* y, std::size_t n) { HWY_DYNAMIC_DISPATCH(add)(x, y, n); }

void add_scaled(float factor, const float* x, float* y, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(add_scaled)(factor, x, y, n);
}

double dot(const float* x, const float* y, std::size_t n) { return HWY_DYNAMIC_DISPATCH(dot)(x, y, n); }

double sum(const float* x, std::size_t n) { return HWY_DYNAMIC_DISPATCH(sum)(x, n); }

void rectify_backward(const float* y, float* dx, std::size_t n) { HWY_DYNAMIC_DISPATCH(rectify_backward)(y, dx, n); }

void fq_coefficients(const float* candidate, float lo, float hi, float epsilon, float* a, float* b, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(fq_coefficients)(candidate, lo, hi, epsilon, a, b, n);
}

ThresholdGradient fq_backward(const float* candidate, float lo, float hi, float epsilon, const float* da,
                              const float* db, float* dcandidate, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(fq_backward)(candidate, lo, hi, epsilon, da, db, dcandidate, n);
}

void bmru_coefficients(const float* c, const float* beta, float epsilon, float* a, float* b, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(bmru_coefficients)(c, beta, epsilon, a, b, n);
}

void bmru_backward(const float* c, const float* beta, float epsilon, const float* da, const float* db, float* dc,
                   float* dbeta, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(bmru_backward)(c, beta, epsilon, da, db, dc, dbeta, n);
}

void min_gru_coefficients(float* z, const float* h, float* a, float* b, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(min_gru_coefficients)(z, h, a, b, n);
}

void min_gru_backward(const float* z, const float* h, const float* da, const float* db, float* dz, float* dh,
                      std::size_t n) {
  HWY_DYNAMIC_DISPATCH(min_gru_backward)(z, h, da, db, dz, dh, n);
}

void gru_forward(const GruRow& row, const float* previous, float* h, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(gru_forward)(row, previous, h, n);
}

void gru_backward(const GruRow& row, const float* previous, const float* dh, const GruGradient& gradient,
                  std::size_t n) {
  HWY_DYNAMIC_DISPATCH(gru_backward)(row, previous, dh, gradient, n);
}

FrameLoss frame_cross_entropy(float* logits, std::size_t outputs, const std::uint32_t* targets, const float* weights,
                              float scale, std::size_t n) {
  return HWY_DYNAMIC_DISPATCH(frame_cross_entropy)(logits, outputs, targets, weights, scale, n);
}

}  // namespace hysteron::train
#endif  // HWY_ONCE
