#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "hysteron/data/sequences.h"

namespace hysteron::data {

/// Where the MNIST files are and how an image becomes a sequence.
struct MnistOptions {
  /// Searched for the files whose paths below are empty: `train-images*` and `train-labels*` (else
  /// `train10k-images*` and `train10k-labels*`), `t10k-images*` and `t10k-labels*`.
  std::filesystem::path folder;
  std::filesystem::path train_images;  ///< idx file of unsigned bytes [N, 28, 28]; gzipped or not, as all four
  std::filesystem::path train_labels;  ///< idx file of unsigned bytes [N], 0 to 9
  std::filesystem::path test_images;
  std::filesystem::path test_labels;
  std::optional<std::size_t> validation;  ///< sequences taken from the end of the train files; default: a tenth
  bool permuted = false;                  ///< one fixed permutation of the 784 pixels for all images
  std::uint64_t permutation_seed = 0;     ///< the permutation depends on nothing else
};

/// Sequential (or permuted) MNIST: an image is 784 frames of one input, pixel/255 - 0.5, row after row; ten labels "0"
/// to "9", one target a sequence, mask 1 everywhere.
///
/// Throws a bad-input Error that names the file, the place, what was found and what was expected: a file that is
/// missing, damaged, no idx file of unsigned bytes of the right rank, truncated or too long; images that are not 28 by
/// 28; a label above 9; numbers of images and labels that differ; a validation count that leaves nothing to train.
/// Sources: LeCun, Cortes and Burges, "The MNIST database" (idx format); Le, Jaitly and Hinton 2015 (the task).
std::unique_ptr<SequenceSource> make_mnist(const MnistOptions& options);

}  // namespace hysteron::data
