#include "hysteron/data/mnist.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "data/idx.h"
#include "data/task_source.h"
#include "hysteron/base/error.h"
#include "hysteron/base/random.h"

namespace hysteron::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSide = 28;
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::size_t kLabels = 10;

/// Images and labels of one pair of files.
struct Images {
  std::vector<std::uint8_t> pixels;  // [count, kPixels]
  std::vector<std::uint8_t> labels;  // [count]
};

Images read_images(const fs::path& images_path, const fs::path& labels_path) {
  IdxBytes images = read_idx(images_path, 3);
  if (images.shape[1] != kSide || images.shape[2] != kSide) {
    throw bad_input(fmt::format("{}: byte 8: the images are {} by {} pixels; expected {} by {}",
                                quoted(images_path.string()), images.shape[1], images.shape[2], kSide, kSide));
  }
  IdxBytes labels = read_idx(labels_path, 1);
  if (images.shape[0] != labels.shape[0]) {
    throw bad_input(fmt::format("{}: byte 4: there are {} labels; expected {}, the number of images in {}",
                                quoted(labels_path.string()), labels.shape[0], images.shape[0],
                                quoted(images_path.string())));
  }
  if (images.shape[0] == 0) {
    throw bad_input(fmt::format("{}: byte 4: there are 0 images; expected at least 1", quoted(images_path.string())));
  }
  for (std::size_t i = 0; i < labels.values.size(); ++i) {
    if (labels.values[i] < kLabels) continue;
    throw bad_input(fmt::format("{}: byte {}: label {} is {}; expected 0 to {}", quoted(labels_path.string()), i + 8, i,
                                labels.values[i], kLabels - 1));
  }
  return {std::move(images.values), std::move(labels.values)};
}

/// Names of the files of `folder`, in alphabetical order.
std::set<std::string> file_names(const fs::path& folder) {
  std::error_code error;
  std::set<std::string> names;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.insert(it->path().filename().string());
  }
  if (error) throw bad_input(fmt::format("{}: cannot be listed: {}", quoted(folder.string()), error.message()));
  return names;
}

/// Fills the paths of one pair of files that are empty: the first of `sets` that has both of what is wanted.
void find_pair(const fs::path& folder, const std::vector<std::string>& sets, fs::path& images, fs::path& labels) {
  if (!images.empty() && !labels.empty()) return;
  if (folder.empty()) {
    throw bad_input(fmt::format("task mnist: no folder and no files {}-images* and {}-labels* are given", sets.front(),
                                sets.front()));
  }
  const std::set<std::string> names = file_names(folder);
  const auto find = [&](const std::string& prefix, fs::path& path) {
    const auto it = names.lower_bound(prefix);
    const bool found = it != names.end() && it->starts_with(prefix);
    if (path.empty() && found) path = folder / *it;
    return !path.empty();
  };
  for (const std::string& set : sets) {
    fs::path found_images = images;
    fs::path found_labels = labels;
    if (!find(set + "-images", found_images) || !find(set + "-labels", found_labels)) continue;
    images = found_images;
    labels = found_labels;
    return;
  }
  throw bad_input(fmt::format("{}: there are no files {}-images* and {}-labels* (idx, gzipped or not)",
                              quoted(folder.string()), fmt::join(sets, "-images* or "),
                              fmt::join(sets, "-labels* or ")));
}

/// How many images of `count` are for validation.
std::size_t validation_count(const MnistOptions& options, std::size_t count) {
  const std::size_t validation = options.validation.value_or(count / 10);
  if (validation < count) return validation;
  throw bad_input(
      fmt::format("{}: validation is to take {} of its {} images; expected fewer, so that some are left to "
                  "train",
                  quoted(options.train_images.string()), validation, count));
}

/// pixel[frame]: which pixel of the image a frame shows.
std::vector<std::size_t> pixel_order(const MnistOptions& options) {
  std::vector<std::size_t> order(kPixels);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options.permuted) Random(options.permutation_seed).child("mnist/permutation").shuffle(order);
  return order;
}

class Mnist : public TaskSource {
 public:
  Mnist(Images train, Images test, std::size_t validation, std::vector<std::size_t> order)
      : TaskSource(1, numbered_labels(kLabels), false,
                   {train.labels.size() - validation, validation, test.labels.size()}),
        train_(std::move(train)),
        test_(std::move(test)),
        order_(std::move(order)) {}

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    const Images& images = split == Split::kTest ? test_ : train_;
    if (split == Split::kValidation) index += size(Split::kTrain);
    Sequence sequence = blank_sequence(kPixels, 1, 1, 1.0F);
    const std::uint8_t* pixels = images.pixels.data() + index * kPixels;
    for (std::size_t i = 0; i < kPixels; ++i) {
      sequence.inputs[i] = static_cast<float>(pixels[order_[i]]) / 255.0F - 0.5F;
    }
    sequence.targets[0] = images.labels[index];
    return sequence;
  }

  Images train_;  // the validation split is its end
  Images test_;
  std::vector<std::size_t> order_;  // [kPixels]
};

}  // namespace

std::unique_ptr<SequenceSource> make_mnist(const MnistOptions& options) {
  MnistOptions found = options;
  find_pair(found.folder, {"train", "train10k"}, found.train_images, found.train_labels);
  find_pair(found.folder, {"t10k"}, found.test_images, found.test_labels);
  Images train = read_images(found.train_images, found.train_labels);
  Images test = read_images(found.test_images, found.test_labels);
  const std::size_t validation = validation_count(found, train.labels.size());
  return std::make_unique<Mnist>(std::move(train), std::move(test), validation, pixel_order(found));
}

}  // namespace hysteron::data
