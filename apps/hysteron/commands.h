#pragma once

#include "session.h"

// One function a command, each in the file of its name; they declare options and call `studies`.

void add_features_command(Command& app, Session& session);
void add_train_command(Command& app, Session& session);
void add_eval_command(Command& app, Session& session);
void add_cell_command(Command& app, Session& session);
void add_compare_command(Command& app, Session& session);
void add_compile_command(Command& app, Session& session);
void add_explore_command(Command& app, Session& session);
void add_extract_command(Command& app, Session& session);
void add_corners_command(Command& app, Session& session);
void add_demo_command(Command& app, Session& session);
void add_gates_command(Command& app, Session& session);
void add_hazards_command(Command& app, Session& session);
void add_montecarlo_command(Command& app, Session& session);
void add_noise_command(Command& app, Session& session);
void add_power_command(Command& app, Session& session);
void add_run_command(Command& app, Session& session);
void add_study_command(Command& app, Session& session);
void add_sweep_command(Command& app, Session& session);
void add_verify_command(Command& app, Session& session);

/// Adds every command of the program.
void add_commands(Command& app, Session& session);
