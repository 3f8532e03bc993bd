#pragma once

#include <string_view>

#include "base/store.h"
#include "compile/gain_curves.h"
#include "sim/engine.h"
#include "technology/technology.h"

namespace hysteron::compile {

/// Where a measurement is stored that is made once per technology, simulator and conditions: a file of the cache, in
/// the folder `kind`.
Store measurement_store(std::string_view kind, const technology::Technology& technology, const sim::Engine& engine,
                        const Conditions& conditions);

}  // namespace hysteron::compile
