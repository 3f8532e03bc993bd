#include "report/extract_report.h"

namespace hysteron::report {
namespace {

using compile::ExtractedParameter;
using compile::ExtractionErrors;

const Table<ExtractedParameter>& parameter_table() {
  static const auto table =
      Table<ExtractedParameter>()
          .figure("name", "in the model file, with its place", &ExtractedParameter::name)
          .figure("model", "what the netlist says the model has", &ExtractedParameter::model)
          .figure("extracted", "what its transistors make of it", &ExtractedParameter::extracted)
          .figure("dropped", "whether none of its transistors is there", &ExtractedParameter::dropped)
          .figure("derived", "whether it is the difference of two others", &ExtractedParameter::derived);
  return table;
}

const Table<ExtractionErrors>& errors_table() {
  static const auto table =
      Table<ExtractionErrors>()
          .figure("parameters", "that were compared", &ExtractionErrors::parameters)
          .figure("dropped_parameters", Better::kLower, "of them, not zero and without a transistor",
                  &ExtractionErrors::dropped)
          .text([](const ExtractionErrors& errors) {
            return fmt::format("{} parameters, {} of them without a transistor\n", errors.parameters, errors.dropped);
          })
          .figure("largest_difference", Better::kLower, "model units", &ExtractionErrors::largest)
          .figure("largest_difference_of", "its parameter", &ExtractionErrors::largest_name)
          .figure("rms_difference", Better::kLower, "model units", &ExtractionErrors::rms)
          .text([](const ExtractionErrors& errors) {
            return fmt::format("difference           {:.6f} rms, {:.6f} largest ({}), model units\n", errors.rms,
                               errors.largest, errors.largest_name);
          })
          .figure("largest_relative_difference", Better::kLower,
                  "of parameters that are not 0, not dropped and not derived", &ExtractionErrors::largest_relative)
          .figure("largest_relative_difference_of", "its parameter", &ExtractionErrors::largest_relative_name)
          .figure("rms_relative_difference", Better::kLower, "of the same", &ExtractionErrors::rms_relative)
          .text([](const ExtractionErrors& errors) {
            return fmt::format("relative difference  {:.3f} % rms, {:.3f} % largest ({})\n",
                               100.0 * errors.rms_relative, 100.0 * errors.largest_relative,
                               errors.largest_relative_name);
          });
  return table;
}

}  // namespace

const Table<ExtractResult>& extract_table() {
  static const auto table =
      Table<ExtractResult>()
          .figure("technology", "", [](const ExtractResult& result) { return result.extracted.technology; })
          .figure("output", "the rebuilt model; null: not written",
                  [](const ExtractResult& result) {
                    return result.output.empty() ? Json(nullptr) : Json(result.output.string());
                  })
          .merge(
              errors_table(), [](const ExtractResult& result) -> const auto& { return result.extracted.errors; })
          .list(
              "values", "every parameter", parameter_table(),
              [](const ExtractResult& result) -> const auto& { return result.extracted.extraction.parameters; })
          .text([](const ExtractResult& result) {
            return result.output.empty() ? std::string() : fmt::format("wrote {}\n", result.output.string());
          });
  return table;
}

}  // namespace hysteron::report
