#include "studies/stored_accumulation.h"

#include <fmt/format.h>

#include <limits>
#include <vector>

#include "base/stored_json.h"

namespace hysteron::studies {
namespace {

using nlohmann::json;

/// JSON has no NaN, and writes null for it.
std::vector<double> decode(const json& list) {
  std::vector<double> values;
  for (const json& value : list) {
    values.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>());
  }
  return values;
}

}  // namespace

StoredAccumulation::StoredAccumulation(const std::filesystem::path& folder, behavioural::Memory memory,
                                       const behavioural::AccumulationRequest& request)
    : memory_(memory) {
  if (folder.empty()) return;
  const char* name = behavioural::name_of(memory);
  store_.emplace(folder / fmt::format("noise_{}_{}.json", request.noise, name), "accumulation",
                 fmt::format("{} {} {} {} {} {} {}", name, request.noise, request.frames, request.layers,
                             request.chains, request.decay, request.seed));
}

std::optional<behavioural::Accumulation> StoredAccumulation::read() const {
  if (!store_) return std::nullopt;
  return read_json(*store_,
                   [&](const json& stored) {
                     behavioural::Accumulation run;
                     run.memory = memory_;
                     stored.at("frames").get_to(run.frames);
                     stored.at("wrong_bits").get_to(run.wrong_bits);
                     run.errors = decode(stored.at("errors"));
                     run.all_errors = decode(stored.at("all_errors"));
                     return std::optional(std::move(run));
                   })
      .value;
}

void StoredAccumulation::write(const behavioural::Accumulation& run) const {
  if (!store_) return;
  const json all = {
      {"frames", run.frames}, {"errors", run.errors}, {"all_errors", run.all_errors}, {"wrong_bits", run.wrong_bits}};
  store_->write(all.dump());
}

}  // namespace hysteron::studies
