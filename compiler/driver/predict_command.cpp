// `tpc predict`: what a trained program says of data, a line for each sample, or an array.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "compiler/driver/session.h"
#include "dsl/source/suggest.h"
#include "runtime/batches.h"

namespace tpc {

namespace {

// Version 1.0 of the format; the data begins at a multiple of 64.
std::string npyText(const std::vector<int64_t>& shape, const std::vector<float>& values, bool whole) {
  std::string header = std::string("{'descr': '") + (whole ? "<i4" : "<f4") + "', 'fortran_order': False, 'shape': (";
  for (int64_t length : shape) header += std::to_string(length) + ", ";
  header += "), }";
  header += std::string(63 - (10 + header.size()) % 64, ' ') + "\n";
  std::string text = "\x93NUMPY";
  text += '\x01', text += '\0', text += char(header.size() & 255), text += char(header.size() >> 8);
  text += header;
  const size_t begin = text.size();
  text.resize(begin + values.size() * 4);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto number = int32_t(values[i]);
    std::memcpy(text.data() + begin + 4 * i, whole ? static_cast<const void*>(&number) : &values[i], 4);
  }
  return text;
}

struct Predictor {
  const PredictOptions& asked;
  Session& session;
  const OpenWeights& weights;
  Mistake& mistake;

  std::optional<size_t> chosenOutput(const ProgramTable& table) {
    std::vector<std::string> names;
    for (size_t o = 0; o < table.outputs.size(); ++o) {
      const ProgramOutput& output = table.outputs[o];
      if (output.metric) continue;
      names.push_back(output.name);
      if (!asked.output.empty() && asked.output != output.name) continue;
      if (output.batchAxis == 0) return o;
      fails(mistake, Fault::content, "TPC0507",
            "`" + output.name + "` has no first axis `batch`, so it says nothing of one sample");
      return std::nullopt;
    }
    const std::string hint = didYouMean(asked.output, names);
    fails(mistake, Fault::usage, "",
          asked.output.empty()
              ? "the program has no `output`"
              : "the program has no output `" + asked.output + "`" + (hint.empty() ? "" : "; " + hint));
    return std::nullopt;
  }

  std::optional<DataRequest> requestFor(const ProgramTable& table) {
    DataRequest request{.data = asked.data, .validationPart = 0, .targets = false};
    if (!weights.record) return request;
    request.alphabet = weights.record->alphabet;
    request.scaling.resize(table.inputs.size());
    for (size_t i = 0; i < table.inputs.size(); ++i)
      for (const auto& [name, scaling] : weights.record->scaling)
        if (name == table.inputs[i].name) request.scaling[i] = scaling;
    return request;
  }

  std::optional<std::string> run() {
    const int64_t batch = asked.batch.value_or(32);
    const std::unique_ptr<Stepper> stepper = session.stepper(batch, Purpose::evaluate, mistake);
    if (!stepper || !loadWeights(weights.files, weights.names, *stepper, mistake)) return std::nullopt;
    const ProgramTable& table = stepper->table();
    const std::optional<size_t> output = chosenOutput(table);
    if (!output) return std::nullopt;
    const std::optional<BoundData> data = bindData(table, *requestFor(table), mistake);
    if (!data) return std::nullopt;

    const Samples& samples = *data->training;
    std::vector<int64_t> shape = table.outputs[*output].shape;
    std::vector<float> all;
    Batch held(table);
    std::vector<const void*> inputs(held.inputs().begin(), held.inputs().end());
    for (size_t i = 0; i < inputs.size(); ++i)
      if (table.inputs[i].target) inputs[i] = nullptr;
    for (int64_t first = 0; first < samples.count(); first += batch) {
      const int64_t count = std::min(batch, samples.count() - first);
      for (int64_t i = 0; i < count; ++i) {
        SamplePlaces places = held.places(i);
        for (size_t k = 0; k < places.size(); ++k)
          if (table.inputs[k].target) places[k] = nullptr;
        if (!samples.fill(first + i, 0, places, mistake)) return std::nullopt;
      }
      std::string error;
      const std::vector<float> values = stepper->fetch(inputs, *output, error);
      if (!error.empty())
        return fails(mistake, Fault::content, "TPC0506", "the program cannot be run: " + error), std::nullopt;
      all.insert(all.end(), values.begin(), values.begin() + ptrdiff_t(values.size() / size_t(batch) * size_t(count)));
    }
    shape[0] = samples.count();
    if (asked.argmax) {
      const int64_t last = shape.back();
      std::vector<float> indices;
      for (size_t i = 0; i < all.size(); i += size_t(last)) {
        const auto begin = all.begin() + ptrdiff_t(i);
        indices.push_back(float(std::max_element(begin, begin + ptrdiff_t(last)) - begin));
      }
      all = std::move(indices);
      shape.pop_back();
    }
    return asked.npy ? npyText(shape, all, asked.argmax) : lines(all, samples.count());
  }

  static std::string lines(const std::vector<float>& all, int64_t samples) {
    std::string text;
    const size_t width = all.size() / size_t(samples);
    for (size_t i = 0; i < all.size(); ++i) {
      char number[32];
      std::snprintf(number, sizeof number, "%.9g", double(all[i]));
      text += number;
      text += (i + 1) % width == 0 ? '\n' : ',';
    }
    return text;
  }
};

}  // namespace

Answer predictCommand(const CommandOptions& options, const PredictOptions& asked) {
  return withTrained(options, asked.plan, asked.run,
                     [&](Session& session, const OpenWeights& weights, Mistake& mistake) {
                       return Predictor{asked, session, weights, mistake}.run();
                     });
}

}  // namespace tpc
