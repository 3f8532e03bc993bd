#pragma once

#include <string>

#include "explore/sweep.h"

namespace hysteron::explore {

/// The result of a point of a sweep, result.json in its folder: values, configuration and what `train --json` printed.
/// Takes its figures. False where there is none of the point's configuration; throws a bad-input Error where it cannot
/// be read.
bool read_result(SweepEntry& entry);

/// Stores what `train --json` printed for the point and takes its figures.
void write_result(SweepEntry& entry, const std::string& output);

/// Why the point is not done, failed.json in its folder, for the other ranks of the same job.
void write_failure(const SweepEntry& entry, const std::string& job);

/// Takes the problem of a point that failed in `job`, if it did.
void read_failure(SweepEntry& entry, const std::string& job);

}  // namespace hysteron::explore
