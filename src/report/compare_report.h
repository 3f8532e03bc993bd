#pragma once

#include "report/figures.h"
#include "studies/compare.h"

namespace hysteron::report {

/// `compare --measured`: docs/silicon.md explains every field.
const Table<studies::Comparison>& compare_table();

/// What a die file says of a chip beside its constants: `cells`, `rails`, `missing`.
const Table<studies::Comparison>& die_measurements_table();

/// `compare --stimulus`, and stimulus.json.
const Table<studies::WrittenStimulus>& stimulus_table();

}  // namespace hysteron::report
