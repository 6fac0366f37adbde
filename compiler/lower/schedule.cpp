#include "compiler/lower/schedule.h"

#include <algorithm>
#include <set>

#include "compiler/lower/group.h"
#include "compiler/lower/layout.h"
#include "compiler/lower/place.h"

namespace tpc::loops {

uint32_t KernelTable::find(Kernel kernel) {
  const std::string key = keyOf(kernel);
  const auto [at, fresh] = byKey.try_emplace(key, uint32_t(kernels.size()));
  if (fresh) kernels.push_back(std::move(kernel));
  return at->second;
}

namespace {

// A launch whose places are still buffers.
struct Draft {
  Launch launch{};
  std::vector<std::pair<uint32_t, Index>> places{};
};

struct Scheduler {
  LoopProgram& program;
  KernelTable& kernels;
  CompiledProgram& compiled;
  std::vector<Unit> units{};
  uint32_t firstLoop = 0, firstDropout = 0;  // of this program in the compiled tables
  std::vector<Draft> drafts[3]{};
  std::vector<std::pair<int64_t, int64_t>> loopSpan{};  // per loop: its first and last position
  std::map<uint32_t, Lifetime> lifetimes{};
  int64_t position = 0;
  double flops = 0;

  Op& op(OpId id) { return program.ops[id]; }

  std::pair<uint32_t, Index> placeOf(OpId id) {
    const auto [base, map] = behindViews(program, id, identityMap(op(id).shape));
    const Op& one = op(base);
    if (!one.storage || one.storage->buffer == none) throw Failure{"a defect of tpc: a value without a place is read"};
    const Index access = accessOf(*one.storage, map);
    return {one.storage->buffer, Index{access.constant, {}, access.trips}};
  }

  // What is computed on its own or leaves its loop gets a buffer; then what shows it.
  void giveBuffers() {
    for (const Unit& unit : units) {
      std::vector<OpId> written;
      if (unit.op == none) written = unit.group.outputs;
      else if (op(unit.op).kind != Kind::repeat && op(unit.op).kind != Kind::checkIndex) written = {unit.op};
      for (OpId id : written) {
        Op& one = op(id);
        if (!one.storage) throw Failure{"a defect of tpc: a value has no layout"};
        if (one.storage->buffer == none) one.storage->buffer = program.temporary(volume(one.shape), one.region);
      }
    }
    for (Op& one : program.ops) {
      if (one.kind != Kind::memory || one.aliasOf == none || one.storage->buffer != none) continue;
      const Op& base = op(one.aliasOf);
      if (base.storage->buffer == none) continue;  // nobody computes it, so nobody reads this
      one.storage->buffer = base.storage->buffer;
      one.storage->offset += base.storage->offset;
      Index trips{0, {}, one.storage->trips};
      trips.add({0, {}, base.storage->trips}, 1);
      one.storage->trips = trips.trips;
    }
  }

  // The loop in which the buffer lives, counted from the outside, that holds `region`; none: no loop in between.
  void use(uint32_t buffer, uint32_t region) {
    if (program.buffers[buffer].persistent) return;
    const uint32_t home = program.buffers[buffer].region;
    int64_t first = position, last = position;
    for (uint32_t at = region; at != home && at != none; at = program.loops[at].parent) openUses[at].push_back(buffer);
    auto [life, fresh] = lifetimes.try_emplace(buffer, Lifetime{buffer, first, last});
    life->second.first = std::min(life->second.first, first);
    life->second.last = std::max(life->second.last, last);
  }
  std::map<uint32_t, std::vector<uint32_t>> openUses{};  // per loop: buffers of outside that it uses

  Draft product(OpId id) {
    Op& one = op(id);
    const OpId a = one.operands[0], b = one.operands[1];
    std::vector<LabelStrides> labels =
        labelsOf(one, stridesOf(program, a), stridesOf(program, b), one.storage->strides);
    std::map<uint8_t, int64_t> lengths;
    for (size_t i = 0; i < one.labels.a.size(); ++i) lengths[one.labels.a[i]] = op(a).shape[i];
    for (size_t i = 0; i < one.labels.b.size(); ++i) lengths[one.labels.b[i]] = op(b).shape[i];
    double count = 2;
    size_t next = 0;
    for (const auto& [label, length] : lengths) labels[next++].length = length, count *= double(length);
    for (uint32_t at = one.region; at != none; at = program.loops[at].parent) count *= double(program.loops[at].trips);
    flops += count;
    Draft draft;
    draft.places = {placeOf(id), placeOf(a), placeOf(b)};
    if (std::optional<Planned> plan = plannedProduct(labels)) {
      draft.launch.kind = LaunchKind::product;
      draft.launch.of = uint32_t(compiled.products.size());
      if (plan->swapped) std::swap(draft.places[1], draft.places[2]);
      compiled.products.push_back(std::move(plan->product));
      return draft;
    }
    CompiledContraction plain;
    for (const LabelStrides& label : labels)
      (label.inResult ? plain.kept : plain.summed).push_back({label.length, label.a, label.b, label.result});
    draft.launch.kind = LaunchKind::contraction;
    draft.launch.of = uint32_t(compiled.contractions.size());
    compiled.contractions.push_back(std::move(plain));
    return draft;
  }

  Draft single(OpId id) {
    Op& one = op(id);
    Draft draft;
    const auto indexing = [&](LaunchKind kind, GatherShape shape, std::vector<std::pair<uint32_t, Index>> places) {
      draft.launch.kind = kind;
      draft.launch.of = uint32_t(compiled.indexings.size());
      draft.places = std::move(places);
      compiled.indexings.push_back({shape});
    };
    // A tensor around one axis.
    const auto around = [](const std::vector<int64_t>& shape, int axis, GatherShape& result) {
      for (int i = 0; i < axis; ++i) result.before *= shape[size_t(i)];
      result.length = shape[size_t(axis)];
      for (size_t i = size_t(axis) + 1; i < shape.size(); ++i) result.after *= shape[i];
    };
    switch (one.kind) {
      case Kind::contract: return product(id);
      case Kind::gather: {
        GatherShape shape;
        around(op(one.operands[0]).shape, one.axis, shape);
        shape.count = volume(op(one.operands[1]).shape);
        indexing(LaunchKind::gather, shape, {placeOf(id), placeOf(one.operands[0]), placeOf(one.operands[1])});
        return draft;
      }
      case Kind::scatterAdd: {
        GatherShape shape;
        around(one.shape, one.axis, shape);
        shape.count = volume(op(one.operands[0]).shape);
        indexing(LaunchKind::scatterAdd, shape, {placeOf(id), placeOf(one.operands[0]), placeOf(one.operands[1])});
        return draft;
      }
      case Kind::checkIndex: {
        GatherShape shape;
        shape.count = volume(one.shape), shape.length = int64_t(one.number);
        indexing(LaunchKind::checkIndex, shape, {placeOf(one.operands[0])});
        return draft;
      }
      case Kind::argmax: {
        CompiledContraction walk;
        const std::vector<int64_t>& shape = op(one.operands[0]).shape;
        const std::vector<int64_t> strides = stridesOf(program, one.operands[0]), results = rowMajor(one.shape);
        for (int axis = 0, kept = 0; axis < int(shape.size()); ++axis) {
          const StridedAxis each{shape[size_t(axis)], strides[size_t(axis)], 0, 0};
          if (axis == one.axes[0]) {
            walk.summed.push_back(each);
          } else {
            walk.kept.push_back(each);
            walk.kept.back().result = results[size_t(kept++)];
          }
        }
        draft.launch.kind = LaunchKind::argmax;
        draft.launch.of = uint32_t(compiled.contractions.size());
        draft.places = {placeOf(id), placeOf(one.operands[0])};
        compiled.contractions.push_back(std::move(walk));
        return draft;
      }
      case Kind::dropout: {
        CompiledDropout site{program.dropouts[one.of].name, program.dropouts[one.of].rate, volume(one.shape), {}};
        for (uint32_t at = one.region; at != none; at = program.loops[at].parent)
          site.loops.insert(site.loops.begin(), firstLoop + at);
        draft.launch.kind = LaunchKind::dropout;
        draft.launch.of = uint32_t(compiled.dropouts.size());
        draft.places = {placeOf(id)};
        compiled.dropouts.push_back(std::move(site));
        return draft;
      }
      default: throw Failure{"a defect of tpc: an operation without a launch"};
    }
  }

  void list(uint32_t region, int phase, std::vector<Draft>& out) {
    for (const Unit& unit : units) {
      if (unit.region != region || unit.phase != phase) continue;
      if (unit.op != none && op(unit.op).kind == Kind::repeat) {
        const uint32_t loop = op(unit.op).of;
        const size_t at = out.size();
        const int64_t begin = ++position;
        Draft draft;
        draft.launch.kind = LaunchKind::loop, draft.launch.of = firstLoop + loop;
        out.push_back(std::move(draft));
        list(loop, phase, out);
        out[at].launch.body = uint32_t(out.size() - at - 1);
        const int64_t end = ++position;
        for (uint32_t buffer : openUses[loop]) {
          Lifetime& life = lifetimes.at(buffer);
          life.first = std::min(life.first, begin), life.last = std::max(life.last, end);
        }
        continue;
      }
      ++position;
      Draft draft;
      if (unit.op == none) {
        KernelCall call = kernelOf(program, unit.group);
        draft.launch.kind = LaunchKind::kernel;
        draft.launch.of = kernels.find(std::move(call.kernel));
        draft.places = std::move(call.places);
      } else {
        draft = single(unit.op);
      }
      for (const auto& [buffer, index] : draft.places) use(buffer, region);
      out.push_back(std::move(draft));
    }
  }

  Schedule run(const std::vector<OpId>& kept, int64_t begin) {
    firstLoop = uint32_t(compiled.loops.size());
    layOut(program);
    units = grouped(program);
    giveBuffers();
    for (const Loop& loop : program.loops) compiled.loops.push_back({loop.trips, loop.reversed, loop.index});
    for (int phase = 0; phase < 3; ++phase) {
      if (phase == 1)
        for (OpId id : kept) use(placeOf(id).first, none);
      list(none, phase, drafts[phase]);
    }
    std::vector<Lifetime> alive;
    for (const auto& [buffer, life] : lifetimes) alive.push_back(life);
    compiled.arena = std::max(compiled.arena, placed(program.buffers, alive, begin));
    Schedule schedule;
    schedule.flops = flops;
    for (int phase = 0; phase < 3; ++phase)
      for (Draft& draft : drafts[phase]) {
        for (const auto& [buffer, index] : draft.places) {
          Place place{program.buffers[buffer].at + index.constant, {}};
          for (auto [loop, stride] : index.trips) place.layers.emplace_back(firstLoop + loop, stride);
          draft.launch.places.push_back(std::move(place));
        }
        schedule.phases[phase].push_back(std::move(draft.launch));
      }
    for (const ConstantValues& constant : program.constants)
      compiled.constants.push_back({program.buffers[constant.buffer].at, constant.values});
    return schedule;
  }
};

}  // namespace

Schedule scheduled(LoopProgram& program, const std::vector<OpId>& kept, int64_t begin, KernelTable& kernels,
                   CompiledProgram& compiled) {
  return Scheduler{program, kernels, compiled}.run(kept, begin);
}

CompiledValue standing(const LoopProgram& program, OpId id) {
  const std::vector<int64_t>& shape = program.ops[id].shape;
  const auto [base, map] = behindViews(program, id, identityMap(shape));
  const Index access = accessOf(*program.ops[base].storage, map);
  CompiledValue value{program.buffers[program.ops[base].storage->buffer].at + access.constant, shape,
                      std::vector<int64_t>(shape.size())};
  for (auto [axis, stride] : access.terms) value.strides[size_t(axis)] = stride;
  return value;
}

}  // namespace tpc::loops
