#pragma once

#include <filesystem>
#include <memory>

#include "data/sequences.h"

namespace hysteron::data {

/// The user's own labelled sequences: in `folder`, for each of train, validation and test,
///   SPLIT.csv  a line a frame: sequence,label,x1,x2,... below a line of names; frames of one sequence follow each
///   other.
///              Where the label changes within any sequence every frame has a target, else each sequence has one;
///   or SPLIT.npy  float32 [N, T, n], with SPLIT.labels, N lines of one label each.
/// Without validation files the last tenth of the training sequences validates. Labels are those of the training
/// sequences in alphabetical order. Throws a bad-input Error with file and line: a missing file, a frame of another
/// width, a value that is no finite number, a sequence in two places, a label that training does not have, a count of
/// labels that differs from the sequences'.
std::unique_ptr<SequenceSource> make_user_sequences(const std::filesystem::path& folder);

}  // namespace hysteron::data
