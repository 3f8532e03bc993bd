#pragma once

#include <string>
#include <vector>

#include "hysteron/flow/verification.h"

/// Prints a verification clip by clip, the causes of its wrong bits and its figures.
void print_verification(const hysteron::flow::Verification& verification, const std::vector<std::string>& labels);
