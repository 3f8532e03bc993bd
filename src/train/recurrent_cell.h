#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "train/cell_kind.h"
#include "train/layout.h"

namespace hysteron::train {

/// A layer of recurrent cells with its projections: u [width][n] in, y [width][n] out. All but the GRU are linear
/// recurrences of `state` and run on the scan of scan.h.
class RecurrentCell {
 public:
  RecurrentCell() = default;
  RecurrentCell(const RecurrentCell&) = delete;
  RecurrentCell& operator=(const RecurrentCell&) = delete;
  virtual ~RecurrentCell() = default;

  virtual void forward(const PassContext& pass, const float* u, float* y) const = 0;
  /// du is set; parameters' gradients are added to the pass's.
  virtual void backward(const PassContext& pass, const float* u, const float* dy, float* du) const = 0;
  /// The states [cells][n] of the last forward pass.
  virtual const float* states(const PassContext& pass) const = 0;
  /// What drives them [cells][n], FQ-BMRU: the candidates; null for cells without thresholds.
  virtual float* candidates(const PassContext& pass) const = 0;
};

/// Parameters are called `name`.<array>.
std::unique_ptr<RecurrentCell> make_fq_bmru(ModelLayout& layout, const std::string& name, std::size_t width,
                                            std::size_t cells);
/// `carry`: what a move leaves of the state, 0 for the BMRU, 1 for the CMRU.
std::unique_ptr<RecurrentCell> make_bmru(ModelLayout& layout, const std::string& name, std::size_t width,
                                         std::size_t cells, float carry);
std::unique_ptr<RecurrentCell> make_min_gru(ModelLayout& layout, const std::string& name, std::size_t width,
                                            std::size_t cells);
std::unique_ptr<RecurrentCell> make_lru(ModelLayout& layout, const std::string& name, std::size_t width,
                                        std::size_t cells);
std::unique_ptr<RecurrentCell> make_gru(ModelLayout& layout, const std::string& name, std::size_t width,
                                        std::size_t cells);

std::unique_ptr<RecurrentCell> make_cell(CellKind kind, ModelLayout& layout, const std::string& name, std::size_t width,
                                         std::size_t cells);

}  // namespace hysteron::train
