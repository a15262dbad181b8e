// SPDX-License-Identifier: Apache-2.0
//
// The multiclass pass on the CPU where only the sums of the counts over all classes are asked for: how many samples
// there are, and how many of them are right. No sample has a cell, so that a batch is read once and compared, as many
// samples at a time as a vector has lanes.
//
// Labels that are neighbours and of one size are compared as they are; but for int64, whose halves are compared where
// no instruction takes them whole, sixteen at a time, as are short rows of scores. Anything else goes by in blocks of
// int32 labels.

#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "passes/loops_cpu.h"
#include "passes/multiclass_block_cpu.h"
#include "passes/sixteen_cpu.h"

namespace fastmetrics {
namespace {

// Samples between two sums of the lanes of an int32 vector.
constexpr int64_t kSumEvery = int64_t{1} << 30;

using Batch = MulticlassBatch;

struct Totals {
  int64_t right = 0, all = 0;
};

// Arguments and result of both: `n` neighbours of a run from `first` on, whose preds and targets are at these offsets;
// how many were done.

// Loops have functions of their own: where GCC 12 makes one with what is around them, they take a quarter longer.
template <typename Labels>
__attribute__((noinline)) int64_t add_sixteens(const Batch& b, const Labels& labels, int64_t first, int64_t a_at,
                                               int64_t b_at, int64_t n, Totals* totals, Faults* faults) {
  const int64_t* target = static_cast<const int64_t*>(b.target) + b_at;
  const int64_t a_step = b.layout.a_stride[b.layout.dims - 1];
  I32s right{}, all{};
  const int64_t done = for_each_sixteen<Labels::kStreams>(
      target, labels, n, b.classes, b.ignored(), [&](int64_t i, const FewLabels& few) {
        right = count(few.good & equal(few.target, few.labels), right);
        all = count(few.good, all);
        for_each_bad(i, few, [&](int64_t j) {
          record_bad(b.preds, b.preds_type, a_at + j * a_step, target[j], b.classes, first + j, faults);
        });
      });
  totals->right += sum_of_lanes(right);
  totals->all += sum_of_lanes(all);
  return done;
}

int64_t add_sixteens(const Batch& b, int64_t first, int64_t a_at, int64_t b_at, int64_t n, Totals* totals,
                     Faults* faults) {
  int64_t done = 0;
  with_labels(b.preds, b.preds_type, a_at, b.layout.a_stride[b.layout.dims - 1], b.classes,
              [&](const auto& labels) { done = add_sixteens(b, labels, first, a_at, b_at, n, totals, faults); });
  return done;
}

// The greatest label of this type that is a class.
uint64_t last_class(DType type, int64_t classes) {
  uint64_t most = 0;
  with_label_type(type, [&](auto t) { most = static_cast<uint64_t>(std::numeric_limits<decltype(t)>::max()); });
  return std::min(most, static_cast<uint64_t>(classes) - 1);
}

// Whether a label of this type can have the value.
bool holds(DType type, int64_t value) {
  bool same = false;
  with_label_type(type, [&](auto t) { same = static_cast<int64_t>(static_cast<decltype(t)>(value)) == value; });
  return same;
}

// Records what is out of range among n labels that are neighbours.
__attribute__((noinline)) void name_bad(const Batch& b, int64_t first, int64_t a_at, int64_t b_at, int n,
                                        Faults* faults) {
  for (int i = 0; i < n; ++i) {
    const int64_t t = label_at(b.target, b.target_type, b_at + i);
    if (b.has_ignore && t == b.ignore) continue;
    record_bad(b.preds, b.preds_type, a_at + i, t, b.classes, first + i, faults);
  }
}

// Labels of as many bytes as Lane, whatever their sign: as numbers without one, those below zero are above the classes.
template <typename Lane, bool kIgnores>
__attribute__((noinline)) int64_t add_lanes_of(const Batch& b, int64_t first, int64_t a_at, int64_t b_at, int64_t n,
                                               Totals* totals, Faults* faults) {
  using Lanes = LanesOf<Lane>;
  constexpr int kLanes = kRegister / sizeof(Lane);
  const Lane* labels = static_cast<const Lane*>(b.preds) + a_at;
  const Lane* target = static_cast<const Lane*>(b.target) + b_at;
  const Lanes last_label = Lanes{} + static_cast<Lane>(last_class(b.preds_type, b.classes));
  const Lanes last_target = Lanes{} + static_cast<Lane>(last_class(b.target_type, b.classes));
  const Lanes ignore = Lanes{} + static_cast<Lane>(b.ignore);
  LaneCount<Lane> right, left_out;
  int held = 0;
  auto sum = [&] {
    totals->right += right.take();
    totals->all += held * int64_t{kLanes} - left_out.take();
    held = 0;
  };
  const int64_t done = in_streams(n, kLanes, [&](int64_t i) __attribute__((always_inline)) {
    fetch_ahead(target + i, kLanes);
    fetch_ahead(labels + i, kLanes);
    const Lanes t = load<Lanes>(target + i), p = load<Lanes>(labels + i);
    auto out = greater(t, last_target) | greater(p, last_label), bad = out;
    if constexpr (kIgnores) {
      const auto ignored = equal(t, ignore);
      bad = out & ~ignored;
      out |= ignored;
    }
    right.add(equal(t, p) & ~out);
    left_out.add(out);
    if (any_lane(bad)) name_bad(b, first + i, a_at + i, b_at + i, kLanes, faults);
    if (++held == LaneCount<Lane>::kMost) sum();
  });
  sum();
  return done;
}

template <typename Lane>
int64_t add_lanes(const Batch& b, int64_t first, int64_t a_at, int64_t b_at, int64_t n, Totals* totals,
                  Faults* faults) {
  return b.has_ignore && holds(b.target_type, b.ignore)
             ? add_lanes_of<Lane, true>(b, first, a_at, b_at, n, totals, faults)
             : add_lanes_of<Lane, false>(b, first, a_at, b_at, n, totals, faults);
}

// Any samples.
void add_blocks(const Batch& b, int64_t begin, int64_t end, Totals* totals, Faults* faults) {
  I32s right{}, all{};
  for_each_block(b, begin, end, false, faults, [&](int64_t, int n, const Block& block, const Ahead& ahead) {
    ahead.fetch(n);
    for (int i = 0; i < n; i += kFloats) {  // arrays have whole vectors
      const I32s t = load<I32s>(block.target + i), p = load<I32s>(block.labels + i);
      const Mask32 good = at_least(t | p, I32s{}) & first_lanes(n - i);
      right = count(good & equal(t, p), right);
      all = count(good, all);
    }
  });
  totals->right += sum_of_lanes(right);
  totals->all += sum_of_lanes(all);
}

using AddNeighbours = int64_t(const Batch& b, int64_t first, int64_t a_at, int64_t b_at, int64_t n, Totals* totals,
                              Faults* faults);

// What reads neighbours of these inputs, or null.
AddNeighbours* neighbours_of(const Batch& b) {
  const int run = b.layout.dims - 1;
  const int64_t a_step = b.layout.a_stride[run], b_step = b.layout.b_stride[run];
  if (b.valid != nullptr) return nullptr;
  if (!b.scores && a_step == 1 && b_step == 1 && size_of(b.preds_type) == size_of(b.target_type)) {
    switch (size_of(b.target_type)) {
      case 1:
        return add_lanes<uint8_t>;
      case 2:
        return add_lanes<uint16_t>;
      case 4:
        return add_lanes<uint32_t>;
      default:
        if (kLongLanes) return add_lanes<uint64_t>;
    }
  }
  if (!in_sixteens(b.preds_type, a_step, b.class_stride, b.classes, b.target_type, b_step)) return nullptr;
  return add_sixteens;
}

void add_range(const Batch& b, int64_t begin, int64_t end, Totals* totals, Faults* faults) {
  AddNeighbours* add_neighbours = neighbours_of(b);
  while (begin < end) {
    int64_t to = std::min(end, begin + kSumEvery);
    if (add_neighbours != nullptr) {
      int64_t a_at, b_at;
      to = std::min(to, begin + b.layout.locate(begin, &a_at, &b_at));
      begin += add_neighbours(b, begin, a_at, b_at, to - begin, totals, faults);
    }
    add_blocks(b, begin, to, totals, faults);
    begin = to;
  }
}

}  // namespace

void add_multiclass_totals(const MulticlassBatch& b, int64_t* totals, int64_t* faults) {
  const int64_t samples = b.layout.samples();
  const int threads = threads_for(samples * (b.scores ? b.classes : 4));
  std::vector<Faults> found(threads);
  std::vector<Totals> of_threads(threads);
  split(samples, threads,
        [&](int thread, int64_t begin, int64_t end) { add_range(b, begin, end, &of_threads[thread], &found[thread]); });
  for (const Totals& of_thread : of_threads) {
    totals[0] += of_thread.right;
    totals[1] += of_thread.all;
    totals[2] += of_thread.all;
  }
  Faults::record(found, faults);
}

}  // namespace fastmetrics
