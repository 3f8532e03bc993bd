#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/reporter.h"
#include "design/context.h"
#include "design/netlist.h"
#include "explore/search_space.h"
#include "studies/verification.h"

namespace hysteron::explore {

/// What a design does, by the behavioural engine and by models of power, area and time; nothing is simulated.
struct DesignFigures {
  double accuracy = 0.0;                ///< of the nominal circuit on the validation clips: what a search sees
  double balanced_accuracy = 0.0;       ///< likewise
  double test_accuracy = 0.0;           ///< of the nominal circuit on the test clips; no search sees it
  double test_balanced_accuracy = 0.0;  ///< likewise
  double software_accuracy = 0.0;       ///< of the network on the test clips
  double yield = 0.0;                   ///< share of dies and validation clips decided as the network decides
  double power = 0.0;                   ///< watt
  double area = 0.0;                    ///< square metre
  double settling = 0.0;                ///< second, estimated
  std::size_t transistors = 0;
  std::size_t left_out = 0;  ///< weights and biases
  double drop_below = 0.0;   ///< magnitude below which sparsity left them out, model units
};

/// Names of the figures that a search can be about, as a space file and a table call them.
std::vector<std::string> objective_names();

/// One point of a search.
struct ExploredPoint {
  std::size_t index = 0;
  std::size_t generation = 0;
  std::vector<std::pair<std::string, explore::SpaceValue>> values;  ///< of the variables
  std::optional<DesignFigures> figures;
  std::string problem;  ///< why there are no figures: the design cannot be trained or built
};

struct ExploreRequest {
  std::filesystem::path file;      ///< see train::read_search_space
  std::filesystem::path pdk_root;  ///< empty: $PDK_ROOT
  std::size_t jobs = 0;            ///< points at a time in this process; 0: one a core
  double patience = 60.0;          ///< seconds without a sign of life after which other ranks do what a rank has begun
};

struct Exploration {
  explore::SearchSpace space;
  std::vector<ExploredPoint> points;  ///< by index
  std::vector<std::size_t> pareto;  ///< indices of those that no other dominates, the best in the first objective first
  std::size_t kept = 0;             ///< were done before
  std::size_t failed = 0;           ///< have no figures
  std::size_t generations = 0;
  bool reports = true;  ///< false in all ranks of a job but the first
};

/// Searches the space of `request.file` with analysis::propose, generation by generation. Every point is trained,
/// compiled from stored curves and scored by DesignFigures, and kept in the space's folder as soon as it is done:
/// points/INDEX.json and points/INDEX.safetensors; points.jsonl and pareto.md, written at the end, have all of them and
/// the table. What a generation holds follows from the earlier ones and the seed alone, so a search that was ended
/// anyhow goes on with the same request to the same bytes, on any number of threads and ranks.
///
/// Under mpirun (OMPI_COMM_WORLD_RANK and _SIZE) or srun (SLURM_PROCID, SLURM_NTASKS) every rank takes points of the
/// generation that nobody has begun; what a rank has begun that is silent for `patience` is said, and done by others.
///
/// A point whose training or circuit is impossible (bad input) has a problem and no figures. Throws a bad-input Error
/// for a bad space and for a folder that holds another one; what data, technology and simulator throw; kInterrupted
/// when `stop` is set.
Exploration explore(const ExploreRequest& request, Reporter& reporter, const StopFlag& stop);

/// A point as a line of points.jsonl has it.
nlohmann::ordered_json point_json(const ExploredPoint& point);

/// The Markdown table of the points in `exploration.pareto`.
std::string pareto_table(const Exploration& exploration);

struct PickRequest {
  std::filesystem::path file;
  std::filesystem::path pdk_root;
  std::size_t index = 0;
  std::filesystem::path output;
  std::size_t clips = 10;     ///< held-out clips to simulate
  int jobs = 0;               ///< simulations at once
  double time_limit = 600.0;  ///< seconds for one run of ngspice
};

/// A point of a finished or unfinished search, built and simulated.
struct Pick {
  ExploredPoint point;
  design::CircuitSummary circuit;
  studies::Verification verification;
  model::Network network;
  std::filesystem::path folder;  ///< of the circuit
};

/// Writes point `request.index` into `request.output`: model.safetensors, circuit/ (as `compile` does, calibrated in
/// place), test.npy, held-out clips with labels in equal parts, and signs it off on them in ngspice. The
/// same request again simulates only what is missing there. Throws a bad-input Error where there is no such point or
/// it has no figures, and what explore and verify throw.
Pick pick_point(const PickRequest& request, Reporter& reporter, const StopFlag& stop);

/// Throws what explore() throws of a bad space or its folder.
void check_space_file(const std::filesystem::path& file);

/// A job of Slurm that runs a search.
struct SlurmRequest {
  std::filesystem::path program;  ///< the hysteron program
  std::filesystem::path file;     ///< the search space
  std::string pdk_root;           ///< empty: none is given
  std::size_t ranks = 1;
  double hours = 24.0;
  double patience = 60.0;
};

/// The script for sbatch: one point a rank at a time, in the present folder, requeued where a node fails.
std::string slurm_script(const SlurmRequest& request);

}  // namespace hysteron::explore
