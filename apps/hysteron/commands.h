#pragma once

#include "session.h"

// One function a command, each in the file of its name; they declare options and call `flow`.

void add_features_command(CLI::App& app, Session& session);
void add_train_command(CLI::App& app, Session& session);
void add_eval_command(CLI::App& app, Session& session);
void add_cell_command(CLI::App& app, Session& session);
void add_compare_command(CLI::App& app, Session& session);
void add_compile_command(CLI::App& app, Session& session);
void add_explore_command(CLI::App& app, Session& session);
void add_extract_command(CLI::App& app, Session& session);
void add_corners_command(CLI::App& app, Session& session);
void add_demo_command(CLI::App& app, Session& session);
void add_gates_command(CLI::App& app, Session& session);
void add_hazards_command(CLI::App& app, Session& session);
void add_montecarlo_command(CLI::App& app, Session& session);
void add_noise_command(CLI::App& app, Session& session);
void add_power_command(CLI::App& app, Session& session);
void add_run_command(CLI::App& app, Session& session);
void add_study_command(CLI::App& app, Session& session);
void add_sweep_command(CLI::App& app, Session& session);
void add_verify_command(CLI::App& app, Session& session);

/// Adds every command of the program.
void add_commands(CLI::App& app, Session& session);
