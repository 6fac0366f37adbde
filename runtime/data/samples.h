// The three kinds of data behind Samples.  Private to the room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/data/dataset.h"
#include "runtime/data/number_file.h"
#include "runtime/data/tokens.h"

namespace tpc {

// ---- texts and token files: windows of one row, what comes and what comes next --------------------------------------

struct TokenPlan {
  size_t input = 0;
  std::optional<size_t> target{};
  int64_t length = 0;  // of a window
};
// Which input reads tokens and which target predicts them; the mistake where the program is none of that kind.
std::optional<TokenPlan> tokenPlan(const ProgramTable& table, bool targets, Mistake& mistake);

// Of tokens begin .. end - 1.  Null with the mistake where there is no window in them.
std::unique_ptr<Samples> tokenSamples(std::shared_ptr<const Tokens> tokens, const TokenPlan& plan, int64_t begin,
                                      int64_t end, std::optional<uint64_t> moving, Mistake& mistake);

// ---- arrays: a row of each file is a sample
// --------------------------------------------------------------------------

struct ArrayFeed {
  size_t input = 0;
  std::shared_ptr<const NumberFile> file{};
  int64_t perRow = 0;              // numbers of the file in a row
  std::vector<int64_t> columns{};  // which of them; empty: all
  Scaling scaling{};
};

// The mistake where the file's shape is not that of the input, `columns` apart.
bool fitsInput(const ProgramInput& input, const NumberFile& file, const std::string& name, Mistake& mistake);

// Every number is one that the input takes; else the mistake with its row.
bool holdsFitting(const ProgramInput& input, const ArrayFeed& feed, Mistake& mistake);

// Shift and factor that bring the rows that `training` counts to mean 0 and standard deviation 1.
Scaling standardScaling(const ArrayFeed& feed, const std::vector<int64_t>& rows);

// Rows `rows` of the feeds, in this order.
std::unique_ptr<Samples> arraySamples(const ProgramTable& table, std::vector<ArrayFeed> feeds,
                                      std::vector<int64_t> rows);

// ---- a random teacher
// ------------------------------------------------------------------------------------------------

// Samples begin .. end - 1 of an endless row.  Null with the mistake where a target is of a shape that it cannot
// answer.
std::unique_ptr<Samples> teacherSamples(const ProgramTable& table, uint64_t seed, int64_t begin, int64_t end,
                                        Mistake& mistake);

}  // namespace tpc
