#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace hysteron {

/// A quantity or file that several commands, search spaces or files take, declared once: what reads one checks it
/// against this range, the command line makes a flag of the name (`unit_current`: --unit-current) and docs/options.md
/// is written from it.
struct Parameter {
  enum class Type { kNumber, kCount, kCounts, kSeed, kText, kPath, kFlag };

  std::string_view name;
  Type type = Type::kNumber;
  std::string_view unit = "";  ///< "A"; empty: a plain number, or no number at all
  double min = 0.0;
  double max = std::numeric_limits<double>::infinity();
  bool is_zero_taken = false;           ///< 0 is no member of the range and stands for none
  std::string_view default_value = "";  ///< "1n", or words: "the technology's"; empty: none
  std::string_view help = "";

  bool takes(double value) const { return (value >= min && value <= max) || (is_zero_taken && value == 0.0); }
  /// Whether the default is a number, which --help shows as one, and not words.
  bool has_number() const {
    return !default_value.empty() && default_value[0] >= '0' && default_value[0] <= '9' &&
           default_value.find(' ') == std::string_view::npos;
  }
};

/// "1p" for 1e-12 A, "0.5" for 0.5 V: digits with the SI prefix that parse_si reads, where a unit asks for one.
std::string number_text(const Parameter& parameter, double value);

/// "1p to 1u A", "0 or 10a to 1n F", "at least 1"; empty where every value is taken.
std::string range_text(const Parameter& parameter);

/// Throws a bad-input Error, "supply: 9; expected 0.5 to 6 V", unless the parameter takes `value`.
void check(const Parameter& parameter, double value);

/// Every shared parameter as a Markdown table: name of the flag, unit, range, default, help.
std::string parameter_table();

namespace parameters {

using Type = Parameter::Type;

// The circuit.
inline constexpr Parameter kTechnology{
    .name = "pdk",
    .type = Type::kText,
    .default_value = "generic180",
    .help =
        "Technology: generic180, gf180mcu, or a description file that ends in .toml; with @2 behind it twice the "
        "gate area of all that has to match"};
inline constexpr Parameter kPdkRoot{
    .name = "pdk_root", .type = Type::kPath, .default_value = "$PDK_ROOT", .help = "Folder the PDK lies in"};
inline constexpr Parameter kUnitCurrent{.name = "unit_current",
                                        .unit = "A",
                                        .min = 1e-12,
                                        .max = 1e-6,
                                        .default_value = "1n",
                                        .help = "Current that stands for 1.0 of the model"};
inline constexpr Parameter kSupply{.name = "supply",
                                   .unit = "V",
                                   .min = 0.5,
                                   .max = 6.0,
                                   .default_value = "the technology's",
                                   .help = "Supply voltage"};
inline constexpr Parameter kCorner{
    .name = "corner", .type = Type::kText, .default_value = "typical", .help = "Process corner to simulate in"};
inline constexpr Parameter kFrameTime{
    .name = "frame_time",
    .unit = "s",
    .min = 1e-5,
    .max = 100.0,
    .default_value = "the model's",
    .help = "Time for which the circuit gets every frame; use a longer one with a small unit current"};
inline constexpr Parameter kDropBelow{.name = "drop_below",
                                      .min = 0.0,
                                      .max = 1e6,
                                      .default_value = "0",
                                      .help = "Leave out weights and biases smaller than this, in model units"};
inline constexpr Parameter kInputRamp{
    .name = "input_ramp",
    .unit = "s",
    .min = 1e-7,
    .max = 1.0,
    .default_value = "100u",
    .help = "Time an input takes from one frame's value to the next, a frame at most"};
inline constexpr Parameter kInputPedestal{
    .name = "input_pedestal",
    .min = 0.0,
    .max = 1.0,
    .default_value = "0",
    .help = "Unit currents on both terminals of every input, which keep their rails charged"};
/// The range has the default at every unit current in it.
inline constexpr Parameter kCellCapacitance{
    .name = "cell_capacitance",
    .unit = "F",
    .min = 1e-17,
    .max = 1e-9,
    .is_zero_taken = true,
    .default_value = "80f for every nA of the unit current",
    .help = "Capacitor from V0 of every cell to ground, against glitches between frames; 0 for none"};

// What is played.
inline constexpr Parameter kInput{
    .name = "input", .type = Type::kPath, .help = "Features to play, [clips, frames, inputs] float32 .npy"};
inline constexpr Parameter kClips{
    .name = "clips", .type = Type::kCounts, .default_value = "all", .help = "Indices of the clips to play"};
inline constexpr Parameter kCenter{
    .name = "center",
    .type = Type::kPath,
    .help =
        "Training features, .npy: first move thresholds away from where candidates lie (docs/centering.md); "
        "decisions still compare with the model as given"};
inline constexpr Parameter kCalibrateOn{.name = "calibrate_on",
                                        .type = Type::kPath,
                                        .default_value = "those of center, else random ones",
                                        .help = "Training features, .npy, whose frames layers are calibrated on"};
inline constexpr Parameter kDies{.name = "dies", .type = Type::kCount, .min = 1, .max = 1e6, .help = "Number of dies"};
inline constexpr Parameter kSeed{
    .name = "seed", .type = Type::kSeed, .max = 18446744073709551615.0, .default_value = "1", .help = "Random seed"};

// The run.
inline constexpr Parameter kJobs{.name = "jobs",
                                 .type = Type::kCount,
                                 .max = 1024,
                                 .default_value = "0",
                                 .help = "Threads, simulations or trainings at once; 0 takes one per hardware thread"};
inline constexpr Parameter kTimeLimit{.name = "time_limit",
                                      .unit = "s",
                                      .min = 0.01,
                                      .max = 1e6,
                                      .default_value = "600",
                                      .help = "Time one run of ngspice may take"};
inline constexpr Parameter kPatience{
    .name = "patience",
    .unit = "s",
    .min = 1.0,
    .max = 1e6,
    .default_value = "60",
    .help = "Under mpirun or srun: silence of a rank after which others do what it has begun"};
inline constexpr Parameter kJson{
    .name = "json", .type = Type::kFlag, .help = "Print one JSON object on stdout and nothing else there"};

/// In the order of the docs.
std::span<const Parameter* const> all();

}  // namespace parameters

}  // namespace hysteron
