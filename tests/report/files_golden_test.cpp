#include "golden.h"
#include "report/extract_report.h"
#include "report/features_report.h"

namespace hysteron::report {
namespace {

TEST(Golden, Features) {
  check_golden("features", features_table(), {{{"yes.wav"}, "clips.npy", true, 0}, {1, 101, 13}});
}

TEST(Golden, Extract) {
  ExtractResult result;
  result.extracted.technology = "generic180";
  result.extracted.extraction.parameters = {{"layers.0.delta[1]", 0.4, 0.41, false, true},
                                            {"readout.bias[0]", 0.001, 0.0, true, false}};
  result.extracted.errors = {2, 1, 0.01, 0.007, "layers.0.delta[1]", 0.025, 0.02, "readout.weight[0,1]"};
  result.output = "extracted.safetensors";
  check_golden("extract", extract_table(), result);
}

TEST(Golden, ExtractToNoFile) { EXPECT_TRUE(extract_table().json(ExtractResult{}).tree()["output"].is_null()); }

}  // namespace
}  // namespace hysteron::report
