#include "commands.h"

void add_commands(CLI::App&, Session&) {}
