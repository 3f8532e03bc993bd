#include "commands.h"

void add_commands(CLI::App& app, Session& session) {
  add_features_command(app, session);
}
