#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/random.h"
#include "train/backbone.h"
#include "train/training_data.h"

namespace hysteron::train {

/// A clip in a batch and how it is changed.
struct Draw {
  std::size_t clip = 0;
  float shift = 0.0f;  ///< frames by which it comes later
  float speed = 1.0f;  ///< frames of the clip that pass in one frame
  float level = 0.0f;  ///< added to the first coefficient of every frame
};

struct Augmentation {
  double time_shift = 0.0;  ///< largest shift, frames
  double speed = 0.0;       ///< largest relative change of speed
  double level = 0.0;       ///< largest change of the first coefficient
};

/// Draws how a clip is changed: evenly within what `augmentation` allows, shifts rounded to frames, so that the two
/// largest come half as often.
void augment(Draw& draw, const Augmentation& augmentation, Random& random);

/// What `config` asks of the clips of `data`. A gain is a change of the first coefficient; features that are normalised
/// by the clip have no level, and theirs stays.
Augmentation augmentation_of(const TrainConfig& config, const TrainingData& data);

/// Deals batches: evenly over labels, within a label evenly over its groups, within a group each clip once before any
/// comes again.
class BatchSampler {
 public:
  BatchSampler(const ClipSet& clips, std::size_t labels, const Augmentation& augmentation, const Random& random);

  /// The next `size` draws.
  std::vector<Draw> next(std::size_t size);

 private:
  struct Group {
    std::vector<std::size_t> clips;
    std::size_t used = 0;
  };

  std::size_t deal(Group& group);

  std::vector<std::vector<Group>> labels_;  // [label][group]
  std::vector<std::size_t> turn_;           // per label, draws so far
  std::size_t drawn_ = 0;
  Augmentation augmentation_;
  Random order_;
  Random change_;
};

/// The frames [frames][width] of a changed clip, interpolated between frames, the first and last ones repeated.
std::vector<float> changed_clip(const data::Features& features, const Draw& draw);

/// Puts draws [begin, end) into the lanes of `shard`, changed likewise.
void fill_shard(const ClipSet& clips, const std::vector<Draw>& draws, std::size_t begin, std::size_t end, Shard& shard);

}  // namespace hysteron::train
