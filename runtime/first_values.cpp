#include "runtime/first_values.h"

#include <algorithm>

#include "kernels/first_values.h"

namespace tpc {
namespace {

template <typename Real>
void fill(const ProgramParameter& parameter, Real* out, int64_t count, uint64_t seed) {
  const FirstValues& first = parameter.first;
  switch (first.kind) {
    case FirstKind::normal:
    case FirstKind::uniform:
      drawParameter(out,
                    {.name = parameter.name,
                     .shape = parameter.shape,
                     .stackedAxes = parameter.stackedAxes,
                     .std = first.number,
                     .uniform = first.kind == FirstKind::uniform},
                    seed);
      break;
    case FirstKind::constant: std::fill(out, out + count, Real(first.number)); break;
    case FirstKind::eye: {
      const int64_t rows = parameter.shape[parameter.shape.size() - 2], columns = parameter.shape.back();
      for (int64_t i = 0; i < count; ++i) out[i] = Real(i / columns % rows == i % columns);
      break;
    }
    case FirstKind::values:
      for (int64_t i = 0; i < count; ++i) out[i] = Real(first.values[size_t(i) % first.values.size()]);
      break;
  }
}

template <typename Real>
void fillState(const ProgramState& state, Real* out, const Real* parameter, int64_t count) {
  if (state.startsAsParameter) std::copy(parameter, parameter + count, out);
  else std::fill(out, out + count, Real(state.first));
}

}  // namespace

void setFirstStates(Stepper& stepper) {
  const std::vector<ProgramParameter>& parameters = stepper.table().parameters;
  for (size_t p = 0; p < parameters.size(); ++p) {
    const StepBuffer& own = stepper.parameters()[p];
    const std::span<const StepBuffer> states = stepper.states(p);
    for (size_t s = 0; s < states.size(); ++s) {
      const ProgramState& state = parameters[p].states[s];
      if (own.type == ElementType::f64)
        fillState(state, static_cast<double*>(states[s].data), static_cast<const double*>(own.data), own.count);
      else fillState(state, static_cast<float*>(states[s].data), static_cast<const float*>(own.data), own.count);
    }
  }
}

void setFirstValues(Stepper& stepper, uint64_t seed) {
  const std::vector<ProgramParameter>& parameters = stepper.table().parameters;
  for (size_t p = 0; p < parameters.size(); ++p) {
    const StepBuffer& own = stepper.parameters()[p];
    if (own.type == ElementType::f64) fill(parameters[p], static_cast<double*>(own.data), own.count, seed);
    else fill(parameters[p], static_cast<float*>(own.data), own.count, seed);
  }
  setFirstStates(stepper);
}

}  // namespace tpc
