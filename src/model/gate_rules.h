#pragma once

#include <string>

#include "model/gate_network.h"

// What the reader of gate files and the check of networks filled by hand both insist on.

namespace hysteron::model {

/// What is wrong with the name of a net; empty: nothing.
std::string name_problem(const std::string& name);

/// What is wrong with a gate's numbers of nets; empty: nothing.
std::string arity_problem(const Gate& gate);

}  // namespace hysteron::model
