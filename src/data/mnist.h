#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "data/sequences.h"

namespace hysteron::data {

/// Sequential MNIST: 784 frames of one pixel each, x / 255 - 0.5, row by row.
struct MnistOptions {
  std::filesystem::path folder;  ///< holds *-images-idx3-ubyte and *-labels-idx1-ubyte, gzipped (.gz) or not
  bool permuted = false;         ///< psMNIST: pixels in one random order
  std::uint64_t permutation_seed = 1;
};

/// The training images are those of train-* or train10k-*, of which the last tenth validates; the test images those of
/// t10k-*. Throws a bad-input Error that names the file and what is wrong: no such file, a wrong magic number, a
/// truncated file or one with bytes left over, images that are not 28 x 28, labels above 9, counts of images and labels
/// that differ. Source: the idx format of LeCun's MNIST pages.
std::unique_ptr<SequenceSource> make_mnist(const MnistOptions& options);

}  // namespace hysteron::data
