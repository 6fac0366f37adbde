// What the passes over changes share: how one node changes, and how its step is written.
#pragma once

#include "compiler/analysis/run.h"

namespace tpc::training {

// A step is written only where the size is new: a pass that changes nothing adds nothing.
void setChange(Run& run, NodeId id, Size matrix, Size computed, RuleId rule, StepId p, StepId q);
void setTrained(Run& run, NodeId id, const Size& size);
void evaluate(Run& run, NodeId id);  // fills change and trained from the operands'

void repeatBody(Run& run, uint32_t repeat);
void recurrenceBody(Run& run, uint32_t repeat);  // depth_training.cpp: of a trip count that grows

}  // namespace tpc::training
