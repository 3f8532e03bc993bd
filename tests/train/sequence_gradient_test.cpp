#include <gtest/gtest.h>

#include "train/sequence_gradient_check.h"

namespace hysteron::train {
namespace {

constexpr double kBound = 5e-4;  // single against double precision

struct Case {
  const char* name;
  CellKind cell;
  const char* mlp;
  bool convolution;
  std::size_t position;
  bool per_frame;
  float epsilon;
  float dropout;
  float additive = 0.0f;
  float multiplicative = 0.0f;
};

SequenceShape shape_of(const Case& c) {
  SequenceShape shape;
  shape.inputs = 3;
  shape.outputs = 4;
  shape.width = 5;
  shape.cells = 6;
  shape.layers = 2;
  shape.position = c.position;
  shape.cell = c.cell;
  shape.mlp = c.mlp;
  shape.convolution = c.convolution;
  shape.per_frame = c.per_frame;
  return shape;
}

/// Three sequences of different lengths, with masked frames.
SequenceShard random_shard(const SequenceShape& shape, std::uint64_t seed) {
  Random random(seed);
  std::vector<data::Sequence> sequences(3);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    data::Sequence& sequence = sequences[i];
    sequence.frames = 9 - 2 * i;
    for (std::size_t k = 0; k < sequence.frames * shape.inputs; ++k) {
      sequence.inputs.push_back(static_cast<float>(2.0 * random.normal()));
    }
    for (std::size_t t = 0; t < sequence.frames; ++t) {
      sequence.targets.push_back(static_cast<std::uint32_t>(random.below(shape.outputs)));
      sequence.mask.push_back(t % 3 == 1 ? 0.0f : 1.0f);
    }
  }
  return pack_sequences(sequences, shape.inputs, shape.per_frame);
}

class SequenceGradient : public testing::TestWithParam<Case> {};

TEST_P(SequenceGradient, AgreesWithForwardModeOnEveryParameter) {
  const SequenceShape shape = shape_of(GetParam());
  const SequenceModel model(shape);
  SequencePass options;
  options.epsilon = GetParam().epsilon;
  options.dropout = GetParam().dropout;
  options.additive_noise = GetParam().additive;
  options.multiplicative_noise = GetParam().multiplicative;
  options.scale = 0.25f;
  options.seed = 7;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const std::vector<float> parameters = model.initial_parameters(Random(seed));
    const GradientCheck check = check_gradient(model, parameters, random_shard(shape, seed), options);
    EXPECT_LT(check.loss_difference, 1e-4);
    for (const GradientDifference& segment : check.segments) {
      EXPECT_TRUE(segment.largest < 1e-6 || segment.relative < kBound) << segment.segment << " " << segment.relative;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cells, SequenceGradient,
    testing::Values(Case{"FqBmru", CellKind::kFqBmru, "glu", false, 0, false, 0.0f, 0.0f},
                    Case{"FqBmruPartialReset", CellKind::kFqBmru, "none", false, 0, true, 0.4f, 0.0f},
                    Case{"FqBmruNoise", CellKind::kFqBmru, "none", false, 0, true, 0.3f, 0.1f, 0.1f, 0.2f},
                    Case{"BmruNoise", CellKind::kBmru, "none", false, 0, false, 0.0f, 0.0f, 0.0f, 0.2f},
                    Case{"BmruAdditiveNoise", CellKind::kBmru, "none", false, 0, false, 0.0f, 0.0f, 0.3f, 0.0f},
                    Case{"CmruAdditiveNoise", CellKind::kCmru, "relu", false, 0, true, 0.0f, 0.0f, 0.3f, 0.2f},
                    Case{"CmruPerFrame", CellKind::kCmru, "glu", true, 0, true, 0.0f, 0.1f, 0.0f, 0.2f},
                    Case{"GruPerFrame", CellKind::kGru, "relu", true, 2, true, 0.0f, 0.2f},
                    Case{"FqBmruCounter", CellKind::kFqBmru, "none", false, 2, false, 1.0f, 0.0f},
                    Case{"Bmru", CellKind::kBmru, "relu", true, 0, true, 0.0f, 0.0f},
                    Case{"Cmru", CellKind::kCmru, "none", false, 3, false, 0.0f, 0.0f},
                    Case{"MinGru", CellKind::kMinGru, "glu", true, 2, true, 0.0f, 0.3f},
                    Case{"MinGruNoise", CellKind::kMinGru, "none", false, 0, true, 0.0f, 0.0f, 0.1f, 0.2f},
                    Case{"LruNoise", CellKind::kLru, "none", false, 0, true, 0.0f, 0.0f, 0.1f, 0.2f},
                    Case{"Lru", CellKind::kLru, "relu", false, 0, false, 0.0f, 0.0f},
                    Case{"LruDropout", CellKind::kLru, "none", true, 0, true, 0.0f, 0.2f},
                    Case{"Gru", CellKind::kGru, "glu", false, 0, false, 0.0f, 0.0f}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(SequenceModel, PaddingAndNeighboursChangeNothing) {
  for (const std::string& name : cell_names()) {
    SequenceShape shape = shape_of({"", cell_kind(name), "glu", true, 2, false, 0.0f, 0.0f});
    const SequenceModel model(shape);
    const std::vector<float> parameters = model.initial_parameters(Random(3));
    Random random(4);
    std::vector<data::Sequence> sequences(2);
    for (std::size_t i = 0; i < 2; ++i) {
      const std::size_t frames = i == 0 ? 6 : 20;
      sequences[i] = {frames, std::vector<float>(frames * shape.inputs), {1}, std::vector<float>(frames, 1.0f)};
      for (float& value : sequences[i].inputs) value = static_cast<float>(random.normal());
    }
    SequenceModel::Workspace workspace;
    std::vector<float> together;
    std::vector<float> alone;
    model.score(parameters, pack_sequences(sequences, shape.inputs, false), {}, workspace, &together, nullptr);
    model.score(parameters, pack_sequences({sequences.data(), 1}, shape.inputs, false), {}, workspace, &alone, nullptr);
    for (std::size_t k = 0; k < shape.outputs; ++k) {
      EXPECT_NEAR(together[k * kShardSequences], alone[k * kShardSequences], 1e-5) << name;
    }
  }
}

}  // namespace
}  // namespace hysteron::train
