#include "hysteron/data/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "hysteron/base/error.h"
#include "hysteron/base/file.h"
#include "hysteron/base/random.h"

namespace hysteron::data {
namespace {

constexpr char kFirst = ' ';
constexpr char kLast = '~';
constexpr std::size_t kNewline = kLast - kFirst + 1;  // its symbol, after the printable ones
constexpr std::size_t kSymbols = kNewline + 1;
constexpr std::size_t kLength = 512;

std::vector<std::uint8_t> symbols_of(const std::string& text) {
  std::vector<std::uint8_t> symbols;
  for (const char c : text) {
    if (c == '\n') symbols.push_back(kNewline);
    if (c >= kFirst && c <= kLast) symbols.push_back(static_cast<std::uint8_t>(c - kFirst));
  }
  return symbols;
}

class Text : public SequenceSource {
 public:
  explicit Text(const TextOptions& options)
      : length_(options.length == 0 ? kLength : options.length),
        random_(Random(options.seed).child("text")),
        symbols_(symbols_of(read_file(options.file))) {
    const std::string name = hysteron::quoted(options.file.string());
    if (symbols_.empty()) throw bad_input(fmt::format("{}: no printable ASCII character; expected a text", name));
    if (part(Split::kTest).size < 2 || part(Split::kTrain).size <= length_) {
      throw bad_input(
          fmt::format("{}: {} printable characters; expected enough for windows of {} in 90 % of them and "
                      "two characters in 5 %",
                      name, symbols_.size(), length_));
    }
    for (char c = kFirst; c <= kLast; ++c) labels_.emplace_back(1, c);
    labels_.emplace_back("\n");
  }

  std::size_t inputs() const override { return kSymbols; }
  const std::vector<std::string>& labels() const override { return labels_; }
  bool per_frame() const override { return true; }

  std::size_t size(Split split) const override {
    return split == Split::kTrain ? 0 : (part(split).size - 1 + length_ - 1) / length_;
  }

  Sequence sequence(Split split, std::uint64_t index) const override {
    const Part text = part(split);
    std::size_t begin = index * length_;
    if (split == Split::kTrain) begin = random_.child("window", index).below(text.size - length_);
    Sequence sequence{length_, std::vector<float>(length_ * kSymbols), std::vector<std::uint32_t>(length_),
                      std::vector<float>(length_)};
    const std::size_t used = std::min(length_, text.size - 1 - begin);
    for (std::size_t t = 0; t < used; ++t) {
      const std::size_t place = text.begin + begin + t;
      sequence.inputs[t * kSymbols + symbols_[place]] = 1.0f;
      sequence.targets[t] = symbols_[place + 1];
      sequence.mask[t] = 1.0f;
    }
    return sequence;
  }

 private:
  struct Part {
    std::size_t begin, size;
  };

  Part part(Split split) const {
    const std::size_t train = symbols_.size() * 90 / 100;
    const std::size_t validation = symbols_.size() * 5 / 100;
    if (split == Split::kTrain) return {0, train};
    if (split == Split::kValidation) return {train, validation};
    return {train + validation, symbols_.size() - train - validation};
  }

  std::size_t length_;
  Random random_;
  std::vector<std::uint8_t> symbols_;
  std::vector<std::string> labels_;
};

}  // namespace

std::unique_ptr<SequenceSource> make_text(const TextOptions& options) { return std::make_unique<Text>(options); }

}  // namespace hysteron::data
