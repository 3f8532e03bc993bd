#pragma once

#include "session.h"

// The questions of `hysteron study`, each in the file of its name.

void add_quadrant_study(CLI::App& study, Session& session);
void add_cell_study(CLI::App& study, Session& session);
void add_accumulation_study(CLI::App& study, Session& session);
