#include "commands.h"

void add_commands(Command& app, Session& session) {
  const auto commands = {
      add_features_command,  //
      add_train_command,    add_eval_command,       add_cell_command,    add_compare_command, add_compile_command,
      add_corners_command,  add_demo_command,       add_explore_command, add_extract_command, add_gates_command,
      add_hazards_command,  add_montecarlo_command, add_noise_command,   add_power_command,   add_run_command,
      add_study_command,    add_sweep_command,      add_verify_command,
  };
  for (const auto add : commands) add(app, session);
}
