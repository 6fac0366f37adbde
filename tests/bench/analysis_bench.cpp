// How long the analysis takes, graph in, derivation out: a transformer written out layer by layer, and one matrix used
// again and again; and `tpc` as a process.  The analysis has one thread: its time is the processor's, which on an idle
// machine is the clock's and on a busy one leaves out the waiting.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>

#include "compiler/driver/pipeline.h"
#include "dsl/source/render.h"

using namespace tpc;
using Clock = std::chrono::steady_clock;

namespace {

double milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

std::string unrolledTransformer(int layers) {
  std::string text =
      "size n = 384 -> inf\nsize d = 64, vocab = 256, context = 64\nlet H = n / d\n"
      "input token [batch, context] in vocab\ntarget next [batch, context] in vocab\n"
      "param E [vocab, n]\nh = E[token]\n";
  for (int i = 0; i < layers; ++i) {
    text += "h += attention(rmsnorm(h), heads = H, causal)\nh += mlp(rmsnorm(h), hidden = 4 * n, act = gelu)\n";
  }
  return text + "loss = cross_entropy(linear(rmsnorm(h), vocab), next)\n";
}

std::string oneMatrix(int uses) {
  std::string text =
      "size n = 384 -> inf\nsize p = 8, c = 4\ninput x [batch, p]\ntarget y [batch] in c\n"
      "param U [p, n]\nparam W [n, n]\nh = tanh(x @ U)\n";
  for (int i = 0; i < uses; ++i) text += "h = tanh(h @ W)\n";
  return text + "loss = cross_entropy(linear(h, c), y)\n";
}

struct Timing {
  size_t operations = 0;
  double best = 0;
};

// The best of some rounds: the others measure what else the machine was doing.
Timing timed(std::string program, int rounds) {
  SourceMap sources;
  DiagnosticSink diagnostics;
  const FileId file = sources.add("unrolled.tp", std::move(program));
  const auto analysed = analyseProgram(sources, file, {}, diagnostics);
  if (!analysed) {
    std::fputs(render(diagnostics, sources).c_str(), stderr);
    std::exit(1);
  }
  Timing timing{analysed->graph.forwardEnd, 1e300};
  for (int round = 0; round < rounds; ++round) {
    const std::clock_t begin = std::clock();
    const Analysis analysis = analyse(analysed->graph, analysed->optimizers, analysed->options);
    timing.best = std::min(timing.best, 1e3 * double(std::clock() - begin) / CLOCKS_PER_SEC);
    if (analysis.symbols.empty()) std::exit(1);
  }
  return timing;
}

int layersFor(size_t operations) {
  const size_t one = timed(unrolledTransformer(1), 1).operations;
  const size_t perLayer = timed(unrolledTransformer(2), 1).operations - one;
  return int((operations - one) / perLayer) + 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Timing small = timed(unrolledTransformer(layersFor(10'000)), 15);
  const Timing large = timed(unrolledTransformer(layersFor(100'000)), 4);
  std::printf("analysis of %zu operations: %.1f ms\n", small.operations, small.best);
  std::printf("analysis of %zu operations: %.1f ms, %.1f times as long\n", large.operations, large.best,
              large.best / small.best);
  const Timing few = timed(oneMatrix(300), 15), many = timed(oneMatrix(3'000), 8);
  std::printf("one matrix used 300 times: %.1f ms; 3000 times: %.1f ms, %.1f times as long\n", few.best, many.best,
              many.best / few.best);
  if (argc > 2) {
    const std::string command = std::string(argv[1]) + " analyze " + argv[2] + " > /dev/null";
    double best = 1e300;
    for (int round = 0; round < 5; ++round) {
      const auto begin = Clock::now();
      if (std::system(command.c_str()) != 0) return 1;
      best = std::min(best, milliseconds(Clock::now() - begin));
    }
    std::printf("tpc analyze %s, the whole process, warm: %.0f ms\n", argv[2], best);
  }
}
