#pragma once

#include "report/figures.h"
#include "studies/verification.h"

namespace hysteron::report {

/// `verify`: docs/verification.md.
const Table<studies::Verification>& verify_table();

}  // namespace hysteron::report
