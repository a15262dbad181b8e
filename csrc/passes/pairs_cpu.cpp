// SPDX-License-Identifier: Apache-2.0
//
// The pairs pass on the CPU; its meaning is pairs_body in fastmetrics/passes/pairs.py.
//
// Sums are float64. The batch is cut into a number of parts that depends on its size alone, a part is summed in lanes
// in a fixed order, and the parts are added in order: the same data gives the same bits for any number of threads.

#include <vector>

#include "passes/loops_cpu.h"
#include "passes/pairs_block_cpu.h"

namespace fastmetrics {
namespace {

constexpr int64_t kMostParts = 256;
constexpr int64_t kSmallestPart = 16384;  // pairs

using Batch = PairsBatch;
using States = PairsStates;

// The pairs of one run for one output; `first` is the index of the first among all pairs.
void add_run(const Batch& b, const States& s, const PairsRun& run, int64_t first, int64_t output, int64_t n,
             PairsPart* part, Faults* faults) {
  const bool all = b.valid == nullptr && b.weights == nullptr;
  if (all && run.a_step == 1 && run.b_step == 1 && b.preds_type == b.target_type && is_floating(b.preds_type) &&
      s.only_simple()) {
    part->sums.count += static_cast<double>(n);
    with_score_type(b.preds_type, [&](auto t) {
      using T = decltype(t);
      add_simple(s, static_cast<const T*>(b.preds) + run.a, static_cast<const T*>(b.target) + run.b, nullptr, n, part);
    });
    return;
  }
  PairsBlock block;
  for (int64_t i = 0; i < n; i += kBlock) {
    block.n = static_cast<int>(std::min<int64_t>(kBlock, n - i));
    to_doubles(b.preds, b.preds_type, run.a + i * run.a_step, run.a_step, block.n, block.x);
    to_doubles(b.target, b.target_type, run.b + i * run.b_step, run.b_step, block.n, block.y);
    auto place_of = [&](int j) { return (first + i + j) * b.outputs + output; };
    if (!all) drop(b, run, i, &block, faults, place_of);
    if (block.n == 0) continue;
    const double* weight = b.weights == nullptr ? nullptr : block.weight;
    part->sums.count += weight == nullptr ? static_cast<double>(block.n) : ordered_sum(weight, nullptr, block.n);
    add_simple(s, block.x, block.y, weight, block.n, part);
    add_rest(b, s, &block, &part->sums);
    if (s.deviance == nullptr) continue;
    add_deviance(b, &block, &part->sums, [&](int j, bool bad_x, bool bad_y) {
      const int64_t place = place_of(all ? j : block.place[j]);
      if (bad_x) faults->add(kBadPreds, place, static_cast<int64_t>(bits_of(block.x[j])));
      if (bad_y) faults->add(kBadTarget, place, static_cast<int64_t>(bits_of(block.y[j])));
    });
  }
}

// Pairs [begin, end) of every output; parts: [D].
void add_part(const Batch& b, const States& s, int64_t begin, int64_t end, PairsPart* parts, Faults* faults) {
  for_each_run(b, begin, end, [&](const PairsRun& run, int64_t first, int64_t n, int64_t d) {
    add_run(b, s, run, first, d, n, &parts[d], faults);
  });
}

// Adds the parts of one output, [parts] at a distance of D, to the states, in order.
void add_to_states(PairsPart* part, int64_t parts, int64_t outputs, int64_t d, const States& s) {
  PairsSums all;
  for (int64_t i = 0; i < parts; ++i, part += outputs) {
    part->sums.moments = part->shifted.moments();
    all.add(part->sums);
  }
  all.add_to(s, d);
}

}  // namespace

void add_pairs(const PairsBatch& b, const PairsStates& s) {
  const int64_t n = b.layout.samples(), outputs = b.outputs;
  if (n == 0) return;
  const int64_t most = std::max<int64_t>(1, std::min(kMostParts, kMostParts * 64 / outputs));
  const Parts parts(n, std::min(most, n * outputs / kSmallestPart));
  std::vector<PairsPart> found(parts.count * outputs);  // [part, D]
  std::vector<Faults> faults(parts.count);
  parts.for_each(threads_for(n * outputs), [&](int64_t part, int64_t begin, int64_t end) {
    add_part(b, s, begin, end, &found[part * outputs], &faults[part]);
  });
  for (int64_t d = 0; d < outputs; ++d) add_to_states(&found[d], parts.count, outputs, d, s);
  Faults::record(faults, s.faults);
}

}  // namespace fastmetrics
