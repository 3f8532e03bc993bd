#include "data/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/task_source.h"

namespace hysteron::data {
namespace {

constexpr char kFirst = ' ';
constexpr char kLast = '~';
constexpr std::size_t kNewline = kLast - kFirst + 1;  // its symbol, after the printable ones
constexpr std::size_t kSymbols = kNewline + 1;
constexpr std::size_t kLength = 512;

bool is_printable(char c) { return c >= kFirst && c <= kLast; }

std::vector<std::uint8_t> symbols_of(const std::string& text) {
  std::vector<std::uint8_t> symbols;
  for (const char c : text) {
    if (c == '\n') symbols.push_back(kNewline);
    if (is_printable(c)) symbols.push_back(static_cast<std::uint8_t>(c - kFirst));
  }
  return symbols;
}

std::vector<std::string> symbol_names() {
  std::vector<std::string> names;
  for (char c = kFirst; c <= kLast; ++c) names.emplace_back(1, c);
  names.emplace_back("\n");
  return names;
}

/// Where a split's characters lie among all.
struct Part {
  std::size_t begin, size;

  /// Windows of `length` targets that cover it, the last one short.
  std::size_t windows(std::size_t length) const { return (size - 1 + length - 1) / length; }
};

Part part_of(Split split, std::size_t characters) {
  const std::size_t train = characters * 90 / 100;
  const std::size_t validation = characters * 5 / 100;
  if (split == Split::kTrain) return {0, train};
  if (split == Split::kValidation) return {train, validation};
  return {train + validation, characters - train - validation};
}

SplitSizes sizes_of(std::size_t characters, std::size_t length) {
  return {0, part_of(Split::kValidation, characters).windows(length),
          part_of(Split::kTest, characters).windows(length)};
}

class Text : public TaskSource {
 public:
  Text(std::vector<std::uint8_t> symbols, std::size_t length, std::uint64_t seed)
      : TaskSource(kSymbols, symbol_names(), true, sizes_of(symbols.size(), length)),
        length_(length),
        random_(Random(seed).child("text")),
        symbols_(std::move(symbols)) {}

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    const Part text = part_of(split, symbols_.size());
    std::size_t begin = index * length_;
    if (split == Split::kTrain) begin = random_.child("window", index).below(text.size - length_);
    Sequence sequence = blank_sequence(length_, kSymbols, length_, 0.0f);
    const std::size_t used = std::min(length_, text.size - 1 - begin);
    for (std::size_t t = 0; t < used; ++t) {
      const std::size_t place = text.begin + begin + t;
      sequence.inputs[t * kSymbols + symbols_[place]] = 1.0f;
      sequence.targets[t] = symbols_[place + 1];
      sequence.mask[t] = 1.0f;
    }
    return sequence;
  }

  std::size_t length_;
  Random random_;
  std::vector<std::uint8_t> symbols_;
};

}  // namespace

std::unique_ptr<SequenceSource> make_text(const TextOptions& options) {
  const std::size_t length = options.length == 0 ? kLength : options.length;
  const std::string text = read_file(options.file);
  std::vector<std::uint8_t> symbols = symbols_of(text);
  const std::string name = hysteron::quoted(options.file.string());
  if (std::ranges::none_of(text, is_printable))
    throw bad_input(fmt::format("{}: no printable ASCII character; expected a text", name));
  const auto size = [&](Split split) { return part_of(split, symbols.size()).size; };
  if (size(Split::kValidation) < 2 || size(Split::kTest) < 2 || size(Split::kTrain) <= length) {
    throw bad_input(
        fmt::format("{}: {} printable characters; expected enough for windows of {} in 90 % of them and "
                    "two characters in 5 %",
                    name, symbols.size(), length));
  }
  return std::make_unique<Text>(std::move(symbols), length, options.seed);
}

}  // namespace hysteron::data
