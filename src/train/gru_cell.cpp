// GRU (Cho et al. 2014, in the form of cuDNN: the reset gate acts on the recurrent product), the classical reference.

#include <algorithm>
#include <vector>

#include "train/layers.h"
#include "train/ops.h"
#include "train/recurrent_cell.h"

namespace hysteron::train {
namespace {

/// Rows are reset, update and candidate, `cells` of each.
class Gru : public RecurrentCell {
 public:
  Gru(ModelLayout& layout, const std::string& name, std::size_t width, std::size_t cells)
      : cells_(cells),
        input_layer_(layout, name + ".input", 3 * cells, width),
        recurrent_layer_(layout, name + ".recurrent", 3 * cells, cells),
        output_(layout, name + ".output", width, cells),
        gates_(layout.buffer(3 * cells)),
        recurrent_(layout.buffer(3 * cells)),
        state_(layout.buffer(cells)),
        dgates_(layout.scratch(kScratchCell, 3 * cells)),
        dstate_(layout.scratch(kScratchCellMore, cells)) {}

  void forward(const PassContext& pass, const float* u, float* y) const override {
    const std::size_t n = pass.columns();
    input_layer_.forward(pass, u, pass.buffer(gates_));
    std::vector<float> previous(cells_ * kLanes);
    std::vector<float> product(3 * cells_ * kLanes);
    for (std::size_t t = 0; t < pass.frames; ++t) {
      recurrent_layer_.forward(pass, previous.data(), product.data(), kLanes);
      for (std::size_t i = 0; i < 3 * cells_; ++i) {
        std::copy_n(product.data() + i * kLanes, kLanes, pass.buffer(recurrent_) + i * n + t * kLanes);
      }
      for (std::size_t j = 0; j < cells_; ++j) {
        float* h = pass.buffer(state_) + j * n + t * kLanes;
        gru_forward(row(pass, j, t), previous.data() + j * kLanes, h, kLanes);
        std::copy_n(h, kLanes, previous.data() + j * kLanes);
      }
    }
    output_.forward(pass, pass.buffer(state_), y);
  }

  void backward(const PassContext& pass, const float* u, const float* dy, float* du) const override {
    const std::size_t n = pass.columns();
    output_.backward(pass, pass.buffer(state_), dy, pass.buffer(dstate_));
    std::vector<float> previous(cells_ * kLanes);
    std::vector<float> carry(cells_ * kLanes);
    std::vector<float> dh(kLanes);
    std::vector<float> dproduct(3 * cells_ * kLanes);
    std::vector<float> through(cells_ * kLanes);
    for (std::size_t t = pass.frames; t-- > 0;) {
      gather(pass, t, previous);
      for (std::size_t j = 0; j < cells_; ++j) {
        const float* own = pass.buffer(dstate_) + j * n + t * kLanes;
        for (std::size_t lane = 0; lane < kLanes; ++lane) dh[lane] = own[lane] + carry[j * kLanes + lane];
        gru_backward(row(pass, j, t), previous.data() + j * kLanes, dh.data(), gradient(pass, j, t, dproduct, carry),
                     kLanes);
        copy_recurrent(pass, j, t, dproduct);
      }
      recurrent_layer_.backward(pass, previous.data(), dproduct.data(), through.data(), kLanes);
      for (std::size_t k = 0; k < carry.size(); ++k) carry[k] += through[k];
    }
    input_layer_.backward(pass, u, pass.buffer(dgates_), du);
  }

  const float* states(const PassContext& pass) const override { return pass.buffer(state_); }
  float* candidates(const PassContext&) const override { return nullptr; }

 private:
  GruRow row(const PassContext& pass, std::size_t j, std::size_t t) const {
    const std::size_t n = pass.columns();
    float* gates = pass.buffer(gates_) + t * kLanes;
    const float* recurrent = pass.buffer(recurrent_) + t * kLanes;
    return {gates + j * n,     gates + (cells_ + j) * n,     gates + (2 * cells_ + j) * n,
            recurrent + j * n, recurrent + (cells_ + j) * n, recurrent + (2 * cells_ + j) * n};
  }

  GruGradient gradient(const PassContext& pass, std::size_t j, std::size_t t, std::vector<float>& dproduct,
                       std::vector<float>& carry) const {
    const std::size_t n = pass.columns();
    float* dgates = pass.buffer(dgates_) + t * kLanes;
    return {dgates + j * n, dgates + (cells_ + j) * n, dgates + (2 * cells_ + j) * n,
            dproduct.data() + (2 * cells_ + j) * kLanes, carry.data() + j * kLanes};
  }

  /// The sums under r and z have the recurrent parts as terms: the same gradient.
  void copy_recurrent(const PassContext& pass, std::size_t j, std::size_t t, std::vector<float>& dproduct) const {
    const std::size_t n = pass.columns();
    for (const std::size_t i : {j, cells_ + j}) {
      std::copy_n(pass.buffer(dgates_) + i * n + t * kLanes, kLanes, dproduct.data() + i * kLanes);
    }
  }

  void gather(const PassContext& pass, std::size_t t, std::vector<float>& previous) const {
    const std::size_t n = pass.columns();
    for (std::size_t j = 0; j < cells_; ++j) {
      float* to = previous.data() + j * kLanes;
      if (t == 0) {
        std::fill_n(to, kLanes, 0.0f);
      } else {
        std::copy_n(pass.buffer(state_) + j * n + (t - 1) * kLanes, kLanes, to);
      }
    }
  }

  std::size_t cells_;
  AffineLayer input_layer_;
  AffineLayer recurrent_layer_;
  AffineLayer output_;
  std::size_t gates_, recurrent_, state_, dgates_, dstate_;
};

}  // namespace

std::unique_ptr<RecurrentCell> make_gru(ModelLayout& layout, const std::string& name, std::size_t width,
                                        std::size_t cells) {
  return std::make_unique<Gru>(layout, name, width, cells);
}

}  // namespace hysteron::train
