// Data bound to a program's inputs: which file feeds which input, checked once, then samples by their number.
//
//     tpc train gpt.tp --data book.txt                          a text: what comes, and what comes next
//     tpc train mlp.tp --data digits.csv                        columns, in the order of the program's inputs
//     tpc train mlp.tp --data image=x.npy --data label=y.npy    arrays by name, the first axis counting samples
//     tpc train mlp.tp --data teacher                           a random teacher answers random inputs
//
// Whatever does not fit is told before training starts, in the program's names and the file's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/format/mistake.h"
#include "runtime/format/program.h"

namespace tpc {

// Where one sample of each input goes, per ProgramTable::inputs: float or int32_t.  Null: it is not wanted.
using SamplePlaces = std::vector<void*>;

class Samples {
 public:
  virtual ~Samples() = default;
  virtual int64_t count() const = 0;
  // Sample `index`; texts begin elsewhere in each epoch, so that no cut stays.
  virtual bool fill(int64_t index, uint64_t epoch, const SamplePlaces& places, Mistake& mistake) const = 0;
};

// input = (number in the file - shift) * factor
struct Scaling {
  double shift = 0, factor = 1;
};

struct DataRequest {
  std::vector<std::string> data{};        // PATH, NAME=PATH, `teacher` or `teacher:COUNT`
  std::vector<std::string> validation{};  // the same; empty: a part of the data
  double validationPart = 0.1;
  bool standardize = false;        // real numbers from files: mean 0 and standard deviation 1 over the training part
  uint64_t seed = 0;               // of the teacher, and of where texts begin
  bool targets = true;             // whether targets are fed too
  std::string alphabet{};          // of a training before
  std::vector<Scaling> scaling{};  // likewise; else found
};

struct BoundData {
  std::unique_ptr<Samples> training{}, validation{};  // validation may be null
  std::vector<std::string> notes{};                   // what a user should know, a line each
  std::string alphabet{};                             // of a text where bytes are not their own numbers
  bool isText = false;
  std::vector<Scaling> scaling{};  // per input
  std::string unit = "samples";
  int64_t perSample = 1;  // how many of `unit` a sample counts
};

// Codes TPC0501 .. TPC0504.
std::optional<BoundData> bindData(const ProgramTable& table, const DataRequest& request, Mistake& mistake);

// `[batch, 8, 8]`, for messages.
std::string shapeText(const std::vector<int64_t>& shape, int batchAxis = -1);

// Whether one shape becomes the other by taking neighbouring axes together: [8, 8] gives [64], [3, 32] not [32, 3].
bool groupsInto(const std::vector<int64_t>& fine, const std::vector<int64_t>& coarse);

// How many numbers of the input one sample has.
int64_t elementsPerSample(const ProgramInput& input);

}  // namespace tpc
