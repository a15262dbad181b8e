// SPDX-License-Identifier: Apache-2.0
//
// The multiclass pass on the CPU; its meaning is multiclass_body in fastmetrics/passes/multiclass.py.
//
// Samples go by in blocks that fit the first cache. A block is reduced to int32 labels, targets and ranks, by code that
// is written once for each score type and once for each label type, and then counted by code that knows no type.
//
// Counts are private to a thread and folded into the int64 states at the end, as long as they take less than a part of
// the batch (and the cells of C² pairs no more than a byte each); otherwise states are added to with relaxed atomics.
// The cells of one batch may be one cell, whose additions would wait for each other: each table has its own way out.

#include <mutex>

#include "passes/label_table_cpu.h"
#include "passes/loops_cpu.h"
#include "passes/multiclass_block_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

// Additions to a private cell before it is folded; a cell is uint32.
constexpr int64_t kFoldEvery = int64_t{1} << 30;

using Batch = MulticlassBatch;
using States = MulticlassStates;

// Counts `n` samples of a run from `first` on, whose preds and targets are at these offsets; returns how many were
// done.
int64_t add_neighbours(const Batch& b, int64_t first, int64_t a_at, int64_t b_at, int64_t n, LabelTable* table,
                       Faults* faults) {
  const int64_t* target = static_cast<const int64_t*>(b.target) + b_at;
  const int64_t a_step = b.layout.a_stride[b.layout.dims - 1];
  int64_t done = 0;
  with_labels(b.preds, b.preds_type, a_at, a_step, b.classes, [&](const auto& labels) {
    done = table->add_neighbours(target, labels, n, b.ignored(), [&](int64_t i) {
      record_bad(b.preds, b.preds_type, a_at + i * a_step, target[i], b.classes, first + i, faults);
    });
  });
  return done;
}

// What one of the threads adds for the samples of [begin, end). All of them must see each state in the same way. A
// samplewise batch has only counts, of few pairs.
void add_range(const Batch& b, const States& s, int64_t begin, int64_t end, int threads, std::mutex* folding,
               Faults* faults) {
  const int64_t c = b.classes, k = s.k, samples = b.layout.samples() / threads;
  const bool shared = threads > 1;
  LabelTable table;
  int64_t table_row = 0;  // of counts, that the table is for
  RowCells ranks, rank_histogram;
  if (b.samplewise) {
    table.open(c, nullptr, s.counts, b.per_sample, false, folding);
  } else {
    table.open(c, s.confusion, s.counts, samples, shared, folding);
  }
  // cells of a thread's own pay if they cost less than its samples
  ranks.open(s.ranks, c * k * 2, c * k / 2 <= samples, shared);
  rank_histogram.open(s.rank_histogram, c, c / 4 <= samples, shared);

  auto fold = [&] {
    if (table) table.fold();
    std::lock_guard<std::mutex> one_at_a_time(*folding);
    ranks.fold();
    rank_histogram.fold();
  };

  auto add_blocks = [&](int64_t from, int64_t to) {
    for_each_block(b, from, to, s.want_ranks(), faults,
                   [&](int64_t first, int n, const Block& block, const Ahead& ahead) {
                     const int64_t row = b.samplewise ? first / b.per_sample : 0;
                     if (row != table_row) {
                       table.fold_and_go_to(s.counts + row * c * 3);
                       table_row = row;
                     }
                     if (table) table.add(block.target, block.labels, n, ahead);
                     for (int i = 0; s.want_ranks() && i < n; ++i) {
                       const int64_t t = block.target[i], p = block.labels[i];
                       if (t < 0 || p < 0) continue;
                       if (rank_histogram) rank_histogram.add(block.ranks[i]);
                       if (ranks && block.ranks[i] < k) {
                         ranks.add((t * k + block.ranks[i]) * 2);
                         ranks.add((p * k + block.ranks[i]) * 2 + 1);
                       }
                     }
                   });
  };

  const int run = b.layout.dims - 1;
  const bool neighbours =
      table && !b.samplewise && !s.want_ranks() && b.valid == nullptr &&
      in_sixteens(b.preds_type, b.layout.a_stride[run], b.class_stride, c, b.target_type, b.layout.b_stride[run]);
  while (begin < end) {
    const int64_t to = std::min(end, begin + kFoldEvery);
    while (neighbours && begin < to) {
      int64_t a_at, b_at;
      const int64_t n = std::min(b.layout.locate(begin, &a_at, &b_at), to - begin);
      const int64_t done = add_neighbours(b, begin, a_at, b_at, n, &table, faults);
      add_blocks(begin + done, begin + n);
      begin += n;
    }
    add_blocks(begin, to);
    fold();
    begin = to;
  }
}

}  // namespace

void add_multiclass(const MulticlassBatch& b, const MulticlassStates& s) {
  const int64_t samples = b.layout.samples();
  if (samples == 0) return;
  if (s.totals != nullptr) return add_multiclass_totals(b, s.totals, s.faults);
  const bool few = s.counts != nullptr && LabelTable::has_few_pairs(b.classes, b.per_sample);
  if (b.samplewise && (!few || s.want_ranks())) return add_multiclass_places(b, s);
  // samplewise states belong to the thread that has the sample
  const int64_t unit = b.samplewise ? b.per_sample : 1;
  const int threads = threads_for(samples * (b.scores ? b.classes : 4));
  std::vector<Faults> faults(threads);
  std::mutex folding;
  split(samples / unit, threads, [&](int thread, int64_t begin, int64_t end) {
    add_range(b, s, begin * unit, end * unit, threads, &folding, &faults[thread]);
  });
  Faults::record(faults, s.faults);
}

}  // namespace fastmetrics
