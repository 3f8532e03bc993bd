#include "compile/stored_sizes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/file.h"
#include "compile/layer_calibration.h"
#include "compile/shop.h"
#include "compile/small_network.h"

namespace hysteron::compile {
namespace {

class StoredSizesTest : public testing::Test {
 protected:
  static CompiledNetwork built(const model::Network& network = small_network()) {
    return build_network(network, shop().technology, shop().curves, {});
  }

  StoredSizes store(const CompiledNetwork& network, const std::string& level = "cells") const {
    return {folder_.path() / "sizes.json", network, frames_, level, shop().engine};
  }

  /// A network as calibration may leave it, kept.
  CompiledNetwork keep() const {
    CompiledNetwork network = built();
    const StoredSizes kept = store(network);
    network.circuit.resize(3, 1.235e-6, 5e-6);
    network.legs[2].sizing_error = -0.0123;
    network.cells[0][0].errors = {true, 0.001, -0.002, 0.003};
    network.cells[0][1].errors = {true, 0.0, std::numeric_limits<double>::quiet_NaN(), 0.0};
    network.calibration = {{"v0_1", 0.04, 0.005}};
    kept.write(network);
    return network;
  }

  TemporaryDirectory folder_{"sizes"};
  const std::vector<float> frames_ = random_features(4, 2);
};

TEST_F(StoredSizesTest, GiveBackWhatCalibrationMade) {
  const CompiledNetwork kept = keep();
  CompiledNetwork network = built();
  ASSERT_TRUE(store(network).read(network));
  for (std::size_t i = 0; i < network.circuit.transistors().size(); ++i) {
    const auto id = static_cast<circuit::DeviceId>(i);
    EXPECT_EQ(network.circuit.transistor(id).width, kept.circuit.transistor(id).width);
    EXPECT_EQ(network.circuit.transistor(id).length, kept.circuit.transistor(id).length);
  }
  EXPECT_EQ(network.legs[2].sizing_error, -0.0123);
  EXPECT_TRUE(network.cells[0][0].errors.is_measured);
  EXPECT_EQ(network.cells[0][0].errors.fall, -0.002);
  EXPECT_TRUE(std::isnan(network.cells[0][1].errors.fall));
  ASSERT_EQ(network.calibration.size(), 1u);
  EXPECT_EQ(network.calibration[0].node, "v0_1");
  EXPECT_EQ(network.calibration[0].after, 0.005);
}

TEST_F(StoredSizesTest, AreOfOneNetworkLevelAndSetOfFrames) {
  keep();
  CompiledNetwork network = built();
  EXPECT_FALSE(store(network, "layers").read(network));
  const StoredSizes other_frames(folder_.path() / "sizes.json", network, random_features(5, 2), "cells", shop().engine);
  EXPECT_FALSE(other_frames.read(network));
  model::Network model = small_network();
  model.input.weight(0, 0) += 1e-6F;  // far less than a step of the drawing grid
  CompiledNetwork other = built(model);
  EXPECT_EQ(other.circuit.transistors().size(), network.circuit.transistors().size());
  EXPECT_FALSE(store(other).read(other));
}

TEST_F(StoredSizesTest, AreNotTakenDamaged) {
  keep();
  const std::string text = read_file(folder_.path() / "sizes.json");
  for (const std::string& damaged : {text.substr(0, text.size() / 2), std::string("[]"), std::string()}) {
    write_file(folder_.path() / "sizes.json", damaged);
    CompiledNetwork network = built();
    EXPECT_FALSE(store(network).read(network));
    EXPECT_FALSE(network.cells[0][0].errors.is_measured);
  }
}

}  // namespace
}  // namespace hysteron::compile
