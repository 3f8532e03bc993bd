#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "analysis/divergence.h"
#include "analysis/hazards.h"

namespace hysteron::studies {

// Parts of verify.json; docs/verification.md has the fields.

/// One event with frame, time, cell, cause and currents.
nlohmann::json event_json(const analysis::CellEvent& event, double frame_seconds);

/// Wrong bits, consequences, causes and wrong frames, without events.
nlohmann::json counts_json(const analysis::Divergence& divergence);

/// The same of one clip, with its first event, its first wrong frame and all events.
nlohmann::json divergence_json(const analysis::Divergence& divergence, double frame_seconds);

/// One object for every cell that was ever wrong, worst first.
nlohmann::json cells_json(const analysis::Divergence& divergence);

/// Glitches of armed cells; those of others do nothing.
nlohmann::json glitches_json(const std::vector<analysis::Glitch>& glitches, double frame_seconds);

nlohmann::json glitch_counts_json(const analysis::GlitchCount& count);
nlohmann::json settling_json(const analysis::SettlingSummary& summary);

}  // namespace hysteron::studies
