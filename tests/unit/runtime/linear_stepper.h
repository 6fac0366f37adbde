// A step that can be checked by hand: y = x W by least squares, gradient descent with a running sum of gradients.
#pragma once

#include <cmath>
#include <memory>

#include "runtime/step.h"

namespace tpc {

// x [batch, 3], target y [batch, 2], W [3, 2]; loss = mean over all entries of (x W - y)^2.
inline ProgramTable linearTable(int64_t batch) {
  ProgramTable table;
  table.model = "linear";
  table.batch = batch;
  table.sizes = {{"batch", batch}, {"n", 3}};
  table.parameters = {{.name = "W",
                       .shape = {3, 2},
                       .first = {FirstKind::normal, 0.5, {}},
                       .optimizer = "momentum",
                       .states = {{"v", 0, false}},
                       .hyper = {{"lr", 0.1}, {"beta", 0.5}}}};
  table.inputs = {{.name = "x", .shape = {batch, 3}, .batchAxis = 0},
                  {.name = "y", .shape = {batch, 2}, .batchAxis = 0, .target = true}};
  table.outputs = {{"answer", {batch, 2}, 0, false}, {"error", {}, -1, true}};
  return table;
}

class LinearStepper : public Stepper {
 public:
  explicit LinearStepper(int64_t batch) : table_(linearTable(batch)), weights_(6), velocity_(6), sum_(6) {
    parameters_ = {{ElementType::f32, 6, weights_.data()}};
    states_ = {{ElementType::f32, 6, velocity_.data()}};
  }
  const ProgramTable& table() const override { return table_; }
  std::span<const StepBuffer> parameters() override { return parameters_; }
  std::span<const StepBuffer> states(size_t) override { return states_; }
  bool accumulates() const override { return true; }
  StepMemory memory() const override { return {24, 24, 24, 0}; }

  // A sample is read as NaN from this step on.
  int64_t poisonedFrom = -1;
  int stepsTaken = 0;

  StepResult step(const StepRequest& request) override {
    ++stepsTaken;
    StepResult result;
    if (request.part == 0) sum_.assign(6, 0);
    result.loss = pass(request.inputs, &sum_, 1.0f / float(request.parts));
    result.metrics = {std::sqrt(result.loss)};
    if (poisonedFrom >= 0 && request.step >= poisonedFrom) result.loss = NAN;
    if (!std::isfinite(result.loss) || request.part + 1 < request.parts) return result;
    float squares = 0;
    for (float g : sum_) squares += g * g;
    result.gradientNorm = std::sqrt(squares);
    const float factor =
        request.clip > 0 && result.gradientNorm > request.clip ? float(request.clip / result.gradientNorm) : 1;
    for (size_t i = 0; i < 6; ++i) {
      velocity_[i] = float(request.hyper[0][1]) * velocity_[i] + factor * sum_[i];
      weights_[i] -= float(request.hyper[0][0]) * velocity_[i];
    }
    result.updated = true;
    return result;
  }
  EvaluateResult evaluate(std::span<const void* const> inputs) override {
    const double loss = pass(inputs, nullptr, 1);
    return {loss, {std::sqrt(loss)}, {}};
  }
  std::vector<float> fetch(std::span<const void* const> inputs, size_t, std::string&) override {
    const auto* x = static_cast<const float*>(inputs[0]);
    std::vector<float> answers;
    for (int64_t b = 0; b < table_.batch; ++b)
      for (int j = 0; j < 2; ++j) answers.push_back(answer(x + 3 * b, j));
    return answers;
  }

 private:
  float answer(const float* x, int j) const {
    return x[0] * weights_[size_t(j)] + x[1] * weights_[size_t(2 + j)] + x[2] * weights_[size_t(4 + j)];
  }
  double pass(std::span<const void* const> inputs, std::vector<float>* gradient, float factor) const {
    const auto *x = static_cast<const float*>(inputs[0]), *y = static_cast<const float*>(inputs[1]);
    float loss = 0;
    const float entries = float(2 * table_.batch);
    for (int64_t b = 0; b < table_.batch; ++b)
      for (int j = 0; j < 2; ++j) {
        const float off = answer(x + 3 * b, j) - y[2 * b + j];
        loss += off * off / entries;
        for (int i = 0; gradient && i < 3; ++i)
          (*gradient)[size_t(2 * i + j)] += factor * 2 * off * x[3 * b + i] / entries;
      }
    return loss;
  }

  ProgramTable table_;
  std::vector<float> weights_, velocity_, sum_;
  std::vector<StepBuffer> parameters_, states_;
};

}  // namespace tpc
