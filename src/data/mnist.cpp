#include "data/mnist.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "data/task_source.h"

namespace hysteron::data {
namespace {

constexpr std::size_t kSide = 28;
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::uint32_t kImagesMagic = 0x803;  // unsigned bytes, three dimensions
constexpr std::uint32_t kLabelsMagic = 0x801;  // unsigned bytes, one dimension
constexpr std::size_t kDigits = 10;

/// The bytes of a file, unpacked where they are gzip.
std::string read_unpacked(const std::filesystem::path& path) {
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw bad_input(fmt::format("cannot read {}", hysteron::quoted(path.string())));
  std::string bytes;
  std::array<char, 1U << 16U> buffer{};
  int count = 0;
  while ((count = gzread(file, buffer.data(), buffer.size())) > 0) bytes.append(buffer.data(), count);
  const bool ended = count == 0 && gzeof(file) == 1;
  if (gzclose_r(file) != Z_OK || !ended) {
    throw bad_input(fmt::format("{}: the gzip data is damaged or truncated", hysteron::quoted(path.string())));
  }
  return bytes;
}

struct Idx {
  std::vector<std::size_t> sizes;
  std::vector<std::uint8_t> values;
};

std::uint32_t big_endian(const std::string& bytes, std::size_t place) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes[place + i]);
  return value;
}

Idx read_idx(const std::filesystem::path& path, std::uint32_t magic) {
  const std::string bytes = read_unpacked(path);
  const std::string name = hysteron::quoted(path.string());
  const std::size_t dimensions = magic & 0xffU;
  const std::size_t header = 4 + 4 * dimensions;
  if (bytes.size() < header) {
    throw bad_input(fmt::format("{}: {} bytes; an idx file starts with a header of {}", name, bytes.size(), header));
  }
  if (big_endian(bytes, 0) != magic) {
    throw bad_input(fmt::format("{}: magic number {:#x} at byte 0; expected {:#x}", name, big_endian(bytes, 0), magic));
  }
  Idx idx;
  std::size_t count = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    idx.sizes.push_back(big_endian(bytes, 4 + 4 * i));
    count *= idx.sizes.back();
  }
  if (bytes.size() - header != count) {
    throw bad_input(fmt::format("{}: {} bytes after the header, which announces {} ({})", name, bytes.size() - header,
                                count, fmt::join(idx.sizes, " x ")));
  }
  idx.values.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
  return idx;
}

std::filesystem::path find_file(const std::filesystem::path& folder, const std::vector<std::string>& stems) {
  for (const std::string& stem : stems) {
    for (const char* ending : {"", ".gz"}) {
      std::filesystem::path path = folder / (stem + ending);
      std::error_code unreadable;
      if (std::filesystem::is_regular_file(path, unreadable)) return path;
    }
  }
  throw bad_input(fmt::format("{}: expected a file {} or {}.gz", hysteron::quoted(folder.string()),
                              fmt::join(stems, " or "), stems.front()));
}

struct Images {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

Images read_images(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  std::vector<std::string> images = names;
  std::vector<std::string> labels = names;
  for (std::string& name : images) name += "-images-idx3-ubyte";
  for (std::string& name : labels) name += "-labels-idx1-ubyte";
  const std::filesystem::path image_path = find_file(folder, images);
  const std::filesystem::path label_path = find_file(folder, labels);
  Idx pixels = read_idx(image_path, kImagesMagic);
  Idx digits = read_idx(label_path, kLabelsMagic);
  if (pixels.sizes[1] != kSide || pixels.sizes[2] != kSide) {
    throw bad_input(fmt::format("{}: images of {} x {}; expected {} x {}", hysteron::quoted(image_path.string()),
                                pixels.sizes[1], pixels.sizes[2], kSide, kSide));
  }
  if (pixels.sizes[0] != digits.sizes[0]) {
    throw bad_input(fmt::format("{} holds {} images, {} {} labels; expected equal numbers",
                                hysteron::quoted(image_path.string()), pixels.sizes[0],
                                hysteron::quoted(label_path.string()), digits.sizes[0]));
  }
  for (std::size_t i = 0; i < digits.values.size(); ++i) {
    if (digits.values[i] < kDigits) continue;
    throw bad_input(
        fmt::format("{}: label {} is {}; expected 0 to 9", hysteron::quoted(label_path.string()), i, digits.values[i]));
  }
  return {std::move(pixels.values), std::move(digits.values)};
}

/// The last tenth of the training images validates.
SplitSizes sizes_of(const Images& train, const Images& test) {
  const std::size_t validation = train.labels.size() / 10;
  if (validation == 0 || test.labels.empty()) {
    throw bad_input(
        fmt::format("{} training and {} test images; expected at least 10 (a tenth is used for validation) and 1",
                    train.labels.size(), test.labels.size()));
  }
  return {train.labels.size() - validation, validation, test.labels.size()};
}

class Mnist : public TaskSource {
 public:
  Mnist(Images train, Images test, const MnistOptions& options)
      : TaskSource(1, numbered_labels(kDigits), false, sizes_of(train, test)),
        train_(std::move(train)),
        test_(std::move(test)),
        order_(kPixels) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    if (options.permuted) Random(options.permutation_seed).child("permutation").shuffle(order_);
  }

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    const Images& images = split == Split::kTest ? test_ : train_;
    const std::size_t image = index + (split == Split::kValidation ? size(Split::kTrain) : 0);
    Sequence sequence{kPixels, std::vector<float>(kPixels), {images.labels[image]}, std::vector<float>(kPixels, 1.0f)};
    for (std::size_t t = 0; t < kPixels; ++t) {
      sequence.inputs[t] = static_cast<float>(images.pixels[image * kPixels + order_[t]]) / 255.0f - 0.5f;
    }
    return sequence;
  }

  Images train_;
  Images test_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::unique_ptr<SequenceSource> make_mnist(const MnistOptions& options) {
  return std::make_unique<Mnist>(read_images(options.folder, {"train", "train10k"}),
                                 read_images(options.folder, {"t10k"}), options);
}

}  // namespace hysteron::data
