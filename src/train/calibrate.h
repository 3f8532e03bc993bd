#pragma once

#include "base/parallel.h"
#include "model/network.h"
#include "train/training_data.h"

namespace hysteron::train {

/// Shifts the readout's biases of a network with two labels by +-half of the amount that lets the majority vote decide
/// `clips` best: with the largest mean of accuracy and balanced accuracy. Frames vote by the sign of the difference of
/// two logits, so the vote is the sign of its median over the frames, and the shift moves the point where it changes.
/// Returns the shift; networks with other numbers of labels are left alone.
double calibrate_vote(model::Network& network, const ClipSet& clips, ThreadPool& pool);

}  // namespace hysteron::train
