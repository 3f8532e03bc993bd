#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "data/sequences.h"

namespace hysteron::data {

/// Character language modelling: the next character at every frame, one-hot characters in.
struct TextOptions {
  std::filesystem::path file;
  std::size_t length = 0;  ///< frames of a sequence; 0: 512
  std::uint64_t seed = 1;
};

/// Printable ASCII and newlines are kept (96 symbols), everything else is dropped. The first 90 % train (windows at
/// random places, without end), the next 5 % validate, the last 5 % test, each by a full sweep of windows that share no
/// target; the last, short one is padded with frames that do not count. Throws a bad-input Error that names the file
/// where no character is printable or the text is too short for one window.
std::unique_ptr<SequenceSource> make_text(const TextOptions& options);

}  // namespace hysteron::data
