#pragma once

#include "session.h"

// The questions of `hysteron study`, each in the file of its name.

void add_quadrant_study(Command& study, Session& session);
void add_cell_study(Command& study, Session& session);
void add_accumulation_study(Command& study, Session& session);
