#include "commands.h"
#include "study_commands.h"

void add_study_command(Command& app, Session& session) {
  Command study = app.add("study", "Run an experiment that answers a question about cells",
                          "hysteron study cell --pdk generic180 -o cell.json");
  study.require_command();
  add_quadrant_study(study, session);
  add_cell_study(study, session);
  add_accumulation_study(study, session);
}
