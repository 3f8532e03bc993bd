#include "train/cell_probe.h"

#include <gtest/gtest.h>

#include "data/memory_tasks.h"
#include "train/sequence_trainer.h"

namespace hysteron::train {
namespace {

/// A model whose one FQ-BMRU layer has candidates that are their biases alone.
class Constant : public testing::Test {
 protected:
  explicit Constant(std::vector<float> biases) : source_(data::make_flip_flop({50, 0, 32, 1})) {
    SequenceShape shape;
    shape.inputs = source_->inputs();
    shape.outputs = source_->labels().size();
    shape.width = 4;
    shape.cells = biases.size();
    shape.layers = 1;
    shape.mlp = "none";
    shape.per_frame = source_->per_frame();
    model_ = std::make_unique<SequenceModel>(shape);
    parameters_ = model_->initial_parameters(Random(1));
    for (const Segment& segment : model_->segments()) {
      const auto fill = [&](const char* name, float value) {
        if (!segment.name.ends_with(name)) return;
        std::fill_n(parameters_.begin() + static_cast<std::ptrdiff_t>(segment.offset), segment.size(), value);
      };
      fill("cell.candidate.weight", 0.0f);
      fill("cell.lower", 0.5f);
      fill("cell.width", 0.5f);
      if (segment.name.ends_with("cell.candidate.bias")) {
        std::ranges::copy(biases, parameters_.begin() + static_cast<std::ptrdiff_t>(segment.offset));
      }
    }
  }
  Constant() : Constant({0.1f, 0.75f, 2.0f}) {}

  std::unique_ptr<data::SequenceSource> source_;
  std::unique_ptr<SequenceModel> model_;
  std::vector<float> parameters_;
  ThreadPool pool_{2};
};

TEST_F(Constant, CellsWithConstantCandidatesAreDead) {
  const CellActivity activity = cell_activity(*model_, parameters_, *source_, data::Split::kTest, 0, pool_);
  EXPECT_EQ(activity.transition_rate, 0.0);
  EXPECT_NEAR(activity.dead, 1.0, 1e-12);
  EXPECT_NEAR(activity.stuck, 0.0, 1e-12);
}

TEST_F(Constant, BitsSurviveSmallNoiseAndNotLargeNoise) {
  const auto retention = [&](double noise) {
    return bit_retention(*model_, parameters_, *source_, data::Split::kTest, 0, noise, 1, pool_);
  };
  EXPECT_FALSE(retention(0.02).has_value()) << "a quarter of beta_hi away from every threshold";
  const auto some = retention(0.15);
  const auto few = retention(0.4);
  ASSERT_TRUE(some && few);
  EXPECT_GT(*some, *few);
  EXPECT_EQ(*few, *retention(0.4)) << "the same seed";
}

TEST(CellActivity, OfATrainedFlipFlopMoves) {
  TrainConfig config;
  config.task = "flip_flop";
  config.backbone = "reference";
  config.cell = "bmru";
  config.output = "";
  config.width = 8;
  config.layers = 1;
  config.batch = 32;
  config.steps = 200;
  config.learning_rate = 0.01;
  config.validation_interval = 50;
  ThreadPool pool(2);
  SilentReporter reporter;
  const StopFlag stop;
  const auto source = data::make_flip_flop({20, 0, 64, 1});
  const SequenceResult result = train_sequences(config, *source, pool, reporter, stop);
  EXPECT_EQ(result.curve.size(), 4u);
  const SequenceModel model(result.network.shape);
  const CellActivity activity = cell_activity(model, result.network.parameters, *source, data::Split::kTest, 0, pool);
  EXPECT_GT(activity.transition_rate, 0.01);
  EXPECT_LT(activity.dead, 1.0);
}

}  // namespace
}  // namespace hysteron::train
