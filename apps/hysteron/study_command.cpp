#include "commands.h"
#include "study_commands.h"

void add_study_command(CLI::App& app, Session& session) {
  CLI::App* study = app.add_subcommand("study", "Answer a question about cells by an experiment");
  study->require_subcommand(1);
  study->footer("Example:\n  hysteron study cell --pdk generic180 -o cell.json");
  add_quadrant_study(*study, session);
  add_cell_study(*study, session);
  add_accumulation_study(*study, session);
}
