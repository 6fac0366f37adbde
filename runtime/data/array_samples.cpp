// Rows of arrays.
#include <cmath>

#include "runtime/data/samples.h"

namespace tpc {
namespace {

struct ArraySamples : Samples {
  std::vector<ArrayFeed> feeds;
  std::vector<bool> integer;      // per feed
  std::vector<int64_t> elements;  // per feed: numbers of a sample
  std::vector<int64_t> rows;

  int64_t count() const override { return int64_t(rows.size()); }

  bool fill(int64_t index, uint64_t, const SamplePlaces& places, Mistake&) const override {
    for (size_t f = 0; f < feeds.size(); ++f) {
      const ArrayFeed& feed = feeds[f];
      void* place = places[feed.input];
      if (!place) continue;
      const int64_t row = rows[size_t(index)] * feed.perRow;
      for (int64_t i = 0; i < elements[f]; ++i) {
        const double value = feed.file->at(row + (feed.columns.empty() ? i : feed.columns[size_t(i)]));
        if (integer[f]) static_cast<int32_t*>(place)[i] = int32_t(value);
        else static_cast<float*>(place)[i] = float((value - feed.scaling.shift) * feed.scaling.factor);
      }
    }
    return true;
  }
};

std::vector<int64_t> sampleShape(const std::vector<int64_t>& shape) { return {shape.begin() + 1, shape.end()}; }

}  // namespace

bool groupsInto(const std::vector<int64_t>& fine, const std::vector<int64_t>& coarse) {
  size_t at = 0;
  for (int64_t length : coarse) {
    int64_t product = 1;
    while (at < fine.size() && product < length) {
      if (fine[at] < 1 || fine[at] > length / product) return false;
      product *= fine[at++];
    }
    if (product != length) return false;
  }
  while (at < fine.size() && fine[at] == 1) ++at;
  return at == fine.size();
}

std::string shapeText(const std::vector<int64_t>& shape, int batchAxis) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + (int(i) == batchAxis ? std::string("batch") : std::to_string(shape[i]));
  return text + "]";
}

int64_t elementsPerSample(const ProgramInput& input) {
  int64_t count = 1;
  for (size_t axis = 0; axis < input.shape.size(); ++axis)
    if (int(axis) != input.batchAxis) count *= input.shape[axis];
  return count;
}

bool fitsInput(const ProgramInput& input, const NumberFile& file, const std::string& name, Mistake& mistake) {
  const std::vector<int64_t> wanted = sampleShape(input.shape), found = sampleShape(file.shape);
  if (groupsInto(found, wanted) || groupsInto(wanted, found)) return true;
  return fails(mistake, Fault::content, "TPC0503",
               "`" + input.name + "` is " + shapeText(input.shape, 0) + ", and " + name + " holds " +
                   shapeText(file.shape) + ", the first axis counting samples");
}

bool holdsFitting(const ProgramInput& input, const ArrayFeed& feed, Mistake& mistake) {
  const int64_t rows = feed.file->shape[0],
                perSample = feed.columns.empty() ? feed.perRow : int64_t(feed.columns.size());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < perSample; ++i) {
      const double value = feed.file->at(row * feed.perRow + (feed.columns.empty() ? i : feed.columns[size_t(i)]));
      const bool whole = value >= 0 && value < double(input.below) && value == std::floor(value);
      if (input.integer ? whole : std::isfinite(value)) continue;
      char text[32];
      std::snprintf(text, sizeof text, "%.9g", value);
      return fails(mistake, Fault::content, "TPC0503",
                   feed.file->path + " has " + text + " in its row " + std::to_string(row) + ", and `" + input.name +
                       "` takes " +
                       (input.integer ? "whole numbers from 0 to " + std::to_string(input.below - 1)
                                      : std::string("finite numbers")));
    }
  return true;
}

Scaling standardScaling(const ArrayFeed& feed, const std::vector<int64_t>& rows) {
  const int64_t perSample = feed.columns.empty() ? feed.perRow : int64_t(feed.columns.size());
  const auto value = [&](int64_t row, int64_t i) {
    return feed.file->at(row * feed.perRow + (feed.columns.empty() ? i : feed.columns[size_t(i)]));
  };
  const double count = double(rows.size()) * double(perSample);
  double sum = 0, squares = 0;
  for (int64_t row : rows)
    for (int64_t i = 0; i < perSample; ++i) sum += value(row, i);
  const double mean = sum / count;
  for (int64_t row : rows)
    for (int64_t i = 0; i < perSample; ++i) squares += (value(row, i) - mean) * (value(row, i) - mean);
  const double deviation = std::sqrt(squares / count);
  return {mean, deviation > 0 ? 1 / deviation : 1};
}

std::unique_ptr<Samples> arraySamples(const ProgramTable& table, std::vector<ArrayFeed> feeds,
                                      std::vector<int64_t> rows) {
  auto samples = std::make_unique<ArraySamples>();
  for (const ArrayFeed& feed : feeds) {
    samples->integer.push_back(table.inputs[feed.input].integer);
    samples->elements.push_back(elementsPerSample(table.inputs[feed.input]));
  }
  samples->feeds = std::move(feeds);
  samples->rows = std::move(rows);
  return samples;
}

}  // namespace tpc
