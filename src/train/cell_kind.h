#pragma once

#include <string>
#include <vector>

namespace hysteron::train {

/// The recurrent cells of design.md section 2.
enum class CellKind { kFqBmru, kBmru, kCmru, kMinGru, kLru, kGru };

/// "fq_bmru", "bmru", "cmru", "mingru", "lru", "gru", in the order of CellKind.
const std::vector<std::string>& cell_names();

/// The kind called `name`. Throws a bad-input Error that lists the names.
CellKind cell_kind(const std::string& name);

/// Whether noise on candidates, on what enters the recurrence, is defined for it.
constexpr bool takes_noise(CellKind kind) { return kind != CellKind::kGru; }

}  // namespace hysteron::train
