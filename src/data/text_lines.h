#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace hysteron::data {

/// A line of a text file that is not blank.
struct Line {
  std::size_t number;     ///< in the file, from 1
  std::string_view text;  ///< without its end, be that "\n" or "\r\n"
};

/// The lines of `text` that are not blank; a byte order mark in front is skipped.
std::vector<Line> lines_of(std::string_view text);

/// `text` without spaces and tabs at its ends.
std::string_view trimmed(std::string_view text);

/// The fields of `text` between `separator`s, each trimmed; one empty field where `text` is empty.
std::vector<std::string_view> fields_of(std::string_view text, char separator);

}  // namespace hysteron::data
