#pragma once

#include <string>
#include <vector>

#include "data/corpus.h"

namespace hysteron::data {

/// Every word of `words` (letters a to z only) in one voice, rate and pitch, as samples at kSampleRate without the
/// silence around it. One espeak-ng process speaks them all with pauses between, which costs a quarter of a process a
/// word; where a voice leaves no silence to cut at, each is spoken on its own.
std::vector<std::vector<float>> speak_words(const std::string& voice, const std::vector<std::string>& words, int rate,
                                            int pitch);

}  // namespace hysteron::data
