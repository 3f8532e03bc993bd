#pragma once

#include <nlohmann/json_fwd.hpp>

#include "train/evaluate.h"

/// The scores of perturbed dies, for --json: `draws`, and mean, deviation and worst of their accuracy and, where a
/// sequence has one label, of their balanced accuracy.
nlohmann::ordered_json dies_json(const hysteron::train::PerturbedScore& dies);

/// Prints the same; nothing where no die was drawn.
void print_dies(const hysteron::train::PerturbedScore& dies);
