#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/sequences.h"

namespace hysteron::data {

/// The tokens of ListOps; the inputs of a network in this order, one-hot.
enum class ListOpsToken : std::uint8_t { kMin, kMax, kMedian, kSumModulo, kEnd, kDigit0 };  // then kDigit0 + 1 to + 9

inline constexpr std::size_t kListOpsTokens = 15;

/// "[MIN", "[MAX", "[MED", "[SM", "]", "0" to "9".
const std::string& to_string(ListOpsToken token);

/// The tokens of an expression such as "[MAX 2 9 [MIN 4 7 ] 0 ]"; "(" and ")", which Long Range Arena's files add, are
/// skipped, and "[SUM_MOD" is read as "[SM". Throws a bad-input Error that begins with `place` and names the word.
std::vector<ListOpsToken> parse_listops(std::string_view text, const std::string& place);

/// The value, 0 to 9. MED is the median, of an even number of arguments the mean of the two in the middle rounded down;
/// SM is the sum modulo 10. Throws a bad-input Error that begins with `place` and says at which token the expression
/// stops to be one.
std::uint32_t evaluate_listops(const std::vector<ListOpsToken>& tokens, const std::string& place);

/// A generator of expressions, or the files of Long Range Arena.
struct ListOpsOptions {
  std::size_t min_length = 500;   ///< tokens, inclusive; the generator's, like all up to `seed`
  std::size_t max_length = 2000;  ///< tokens, inclusive
  std::size_t max_depth = 10;     ///< levels of the tree, that of the digits included
  std::size_t max_arguments = 10;
  std::size_t validation = 2000;  ///< sequences
  std::size_t test = 2000;        ///< sequences
  std::uint64_t seed = 0;
  /// Files of a line "Source<TAB>Target" and then an expression, a tab and its value a line. All three or none.
  std::filesystem::path train_file;
  std::filesystem::path validation_file;
  std::filesystem::path test_file;
};

/// ListOps: frames are the tokens of an expression [T, 15] one-hot, T as long as the expression; ten labels "0" to "9",
/// its value; one target a sequence, mask 1 everywhere.
///
/// The generator draws trees as Long Range Arena does (a node above the last level is an operator with probability 1/4,
/// with 2 to max_arguments arguments) and keeps those whose length is within bounds. Throws a bad-input Error for
/// options that no tree or hardly one fits; for a file without its header or expressions, or with a line that is no
/// expression or whose target is not its value (with file and line).
/// Sources: Nangia and Bowman 2018 (the task); Tay et al. 2021, "Long Range Arena" (lengths and files).
std::unique_ptr<SequenceSource> make_listops(const ListOpsOptions& options);

}  // namespace hysteron::data
