#include "data/listops.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "data/task_source.h"
#include "data/text_lines.h"

namespace hysteron::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTask = "listops";
constexpr std::size_t kLabels = 10;
constexpr std::uint64_t kOneInOperator = 4;  // a node above the last level is an operator once in so many
constexpr std::size_t kMaxDepth = 100;       // bounds the recursion
constexpr std::size_t kMaxTokens = 1'000'000;

/// Trees drawn before a range of lengths counts as hopeless. At first few, so that options fail when they are given;
/// later so many that a range that passed then has no chance to fail.
constexpr std::size_t kFirstDraws = 200'000;
constexpr std::size_t kDraws = 100 * kFirstDraws;

using Tokens = std::vector<ListOpsToken>;

Sequence sequence_of(const Tokens& tokens, std::uint32_t value) {
  Sequence sequence = blank_sequence(tokens.size(), kListOpsTokens, 1, 1.0F);
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    sequence.inputs[t * kListOpsTokens + static_cast<std::size_t>(tokens[t])] = 1.0F;
  }
  sequence.targets[0] = value;
  return sequence;
}

/// Draws one tree after the other and abandons each as soon as it is too long, so that a rejected tree costs at most
/// max_length draws.
class TreeSampler {
 public:
  TreeSampler(const ListOpsOptions& options, Random random) : options_(options), random_(random) {}

  Tokens draw(std::size_t draws) {
    for (std::size_t i = 0; i < draws; ++i) {
      tokens_.clear();
      if (append_node(1) && tokens_.size() >= options_.min_length) return std::move(tokens_);
    }
    throw bad_input(fmt::format(
        "task {}: none of {} trees of at most {} levels and {} arguments has {} to {} tokens; expected a "
        "wider range of min_length to max_length, or deeper or wider trees",
        kTask, draws, options_.max_depth, options_.max_arguments, options_.min_length, options_.max_length));
  }

 private:
  /// Appends a subtree whose root is on `level`, from 1; false where the tree has become too long.
  bool append_node(std::size_t level) {
    if (level >= options_.max_depth || random_.below(kOneInOperator) != 0) {
      return append(static_cast<ListOpsToken>(static_cast<std::size_t>(ListOpsToken::kDigit0) + random_.below(10)));
    }
    if (!append(static_cast<ListOpsToken>(random_.below(4)))) return false;
    const std::uint64_t arguments = 2 + random_.below(options_.max_arguments - 1);
    for (std::uint64_t i = 0; i < arguments; ++i) {
      if (!append_node(level + 1)) return false;
    }
    return append(ListOpsToken::kEnd);
  }

  bool append(ListOpsToken token) {
    tokens_.push_back(token);
    return tokens_.size() <= options_.max_length;
  }

  const ListOpsOptions& options_;
  Random random_;
  Tokens tokens_;
};

class ListOpsGenerator : public TaskSource {
 public:
  explicit ListOpsGenerator(const ListOpsOptions& options)
      : TaskSource(kListOpsTokens, numbered_labels(kLabels), false, {0, options.validation, options.test}),
        options_(options) {
    TreeSampler(options_, Random(options_.seed).child(kTask).child("first")).draw(kFirstDraws);
  }

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    const Tokens tokens = TreeSampler(options_, sequence_stream(options_.seed, kTask, split, index)).draw(kDraws);
    return sequence_of(tokens, evaluate_listops(tokens, "a generated expression"));
  }

  ListOpsOptions options_;
};

/// The expressions of a file, one after the other.
struct Expressions {
  Tokens tokens;
  std::vector<std::size_t> begins = {0};  // of each expression in `tokens`, and the end
  std::vector<std::uint32_t> values;

  std::size_t size() const { return values.size(); }
};

void append_line(const Line& line, const std::string& place, Expressions& expressions) {
  const std::vector<std::string_view> fields = fields_of(line.text, '\t');
  if (fields.size() != 2) {
    throw bad_input(fmt::format("{}: there are {} fields between tabs; expected 2, an expression and its value", place,
                                fields.size()));
  }
  const Tokens tokens = parse_listops(fields[0], place);
  const std::uint32_t value = evaluate_listops(tokens, place);
  if (fields[1] != std::to_string(value)) {
    throw bad_input(fmt::format("{}: the target is {}; expected {}, the value of the expression", place,
                                quoted(std::string(fields[1])), value));
  }
  expressions.tokens.insert(expressions.tokens.end(), tokens.begin(), tokens.end());
  expressions.begins.push_back(expressions.tokens.size());
  expressions.values.push_back(value);
}

Expressions read_expressions(const fs::path& path) {
  const std::string name = quoted(path.string());
  const std::string text = read_file(path);
  const std::vector<Line> lines = lines_of(text);
  if (lines.empty() || fields_of(lines[0].text, '\t') != std::vector<std::string_view>{"Source", "Target"}) {
    throw bad_input(fmt::format("{}: line 1 is {}; expected the header Source<TAB>Target", name,
                                lines.empty() ? "missing" : quoted(std::string(lines[0].text.substr(0, 40)))));
  }
  if (lines.size() == 1) throw bad_input(fmt::format("{}: there is no expression after the header", name));
  Expressions expressions;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    append_line(lines[i], fmt::format("{}: line {}", name, lines[i].number), expressions);
  }
  return expressions;
}

class ListOpsFiles : public TaskSource {
 public:
  explicit ListOpsFiles(std::array<Expressions, 3> splits)
      : TaskSource(kListOpsTokens, numbered_labels(kLabels), false,
                   {splits[0].size(), splits[1].size(), splits[2].size()}),
        splits_(std::move(splits)) {}

 private:
  Sequence make(Split split, std::uint64_t index) const override {
    const Expressions& expressions = splits_[static_cast<std::size_t>(split)];
    const auto begin = expressions.tokens.begin();
    return sequence_of(Tokens(begin + static_cast<std::ptrdiff_t>(expressions.begins[index]),
                              begin + static_cast<std::ptrdiff_t>(expressions.begins[index + 1])),
                       expressions.values[index]);
  }

  std::array<Expressions, 3> splits_;
};

/// Tokens of the longest tree, or `enough` where it has more.
std::size_t longest_tree(const ListOpsOptions& options, std::size_t enough) {
  std::size_t length = 1;
  for (std::size_t level = 1; level < options.max_depth && length < enough; ++level) {
    length = 2 + options.max_arguments * length;
  }
  return std::min(length, enough);
}

void check(const ListOpsOptions& options) {
  check_option(kTask, "max_depth", options.max_depth, 2, kMaxDepth);
  check_option(kTask, "max_arguments", options.max_arguments, 2, 1000);
  check_option(kTask, "max_length", options.max_length, 1, kMaxTokens);
  check_option(kTask, "min_length", options.min_length, 1, options.max_length);
  check_option(kTask, "min_length", options.min_length, 1, longest_tree(options, options.max_length));
  check_option(kTask, "validation", options.validation, 1, kMaxGenerated);
  check_option(kTask, "test", options.test, 1, kMaxGenerated);
}

}  // namespace

std::unique_ptr<SequenceSource> make_listops(const ListOpsOptions& options) {
  const std::array<const fs::path*, 3> files = {&options.train_file, &options.validation_file, &options.test_file};
  const auto given = std::count_if(files.begin(), files.end(), [](const fs::path* file) { return !file->empty(); });
  if (given == 0) {
    check(options);
    return std::make_unique<ListOpsGenerator>(options);
  }
  if (given != 3) {
    throw bad_input(fmt::format("task {}: {} of the training, validation and test files exist; expected all 3 or none",
                                kTask, given));
  }
  return std::make_unique<ListOpsFiles>(std::array<Expressions, 3>{
      read_expressions(*files[0]), read_expressions(*files[1]), read_expressions(*files[2])});
}

}  // namespace hysteron::data
