// SPDX-License-Identifier: Apache-2.0
//
// The hinge pass on the CPU; its meaning is hinge_body in fastmetrics/passes/hinge.py.

#include <algorithm>

#include "common/math_cpu.h"
#include "passes/loops_cpu.h"
#include "passes/rows_cpu.h"
#include "passes/softmax_cpu.h"
#include "rules/hinge.h"

namespace fastmetrics {
namespace {

// Adds one sample to sums [losses]. p: float64 [C] in whole vectors, its scores and negative infinities; it is spoiled.
void add_sample(const HingeOptions& options, int64_t classes, int32_t target, double weight, bool logits, double* p,
                double* sums) {
  const int64_t n = whole_vectors(classes);
  const double scale = logits ? softmax(p, n) : 1.0;
  const double own = p[target];
  if (!options.one_vs_all) {
    p[target] = -kInfinity;
    sums[0] += weight * hinge_of((own - greatest(p, n)) * scale, options.squared);
    return;
  }
  p[target] = -own;
  auto add = [&](auto squared) {
    for (int64_t c = 0; c < classes; ++c) sums[c] += weight * hinge_of(-(p[c] * scale), squared);
  };
  options.squared ? add(std::true_type{}) : add(std::false_type{});
}

// Adds a group to totals [losses] of each lane. p: [C], its scores; they are spoiled.
void add_group(const HingeOptions& options, int64_t classes, const Group& group, bool logits, Doubles* p,
               Doubles* totals) {
  const Doubles scale = logits ? softmax_of_lanes(p, classes) : Doubles{} + 1.0;
  Doubles own = {};
  for (int j = 0; j < kDoubles; ++j) {
    double* of_target = reinterpret_cast<double*>(p + group.target[j]) + j;
    own[j] = *of_target;
    *of_target = options.one_vs_all ? -own[j] : -kInfinity;
  }
  if (options.one_vs_all) {
    for (int64_t c = 0; c < classes; ++c) totals[c] += group.weight * hinge_of(-(p[c] * scale), options.squared);
    return;
  }
  Doubles other = p[0];
  for (int64_t c = 1; c < classes; ++c) other = p[c] > other ? p[c] : other;
  totals[0] += group.weight * hinge_of((own - other) * scale, options.squared);
}

// Adds n binary samples to sums [loss, count]. x: their scores, weight: what they count, 0 if they are left out.
void add_samples(const HingeOptions& options, const int32_t* target, const double* weight, bool logits, int n,
                 double* x, double* sums) {
  alignas(64) double probability[kChunk];
  if (logits) {
    compute(x, x, n, probability, [](auto score, auto, auto& math) { return 1.0 / (1.0 + math.exp(-score)); });
    x = probability;
  }
  for (int i = 0; i < n; ++i) x[i] = weight[i] * hinge_of(target[i] > 0 ? x[i] : -x[i], options.squared);
  constexpr int kLanes = 8;
  double loss[kLanes] = {}, count[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      loss[j] += x[i + j];
      count[j] += weight[i + j];
    }
  }
  for (int j = 0; i < n; ++i, ++j) {
    loss[j] += x[i];
    count[j] += weight[i];
  }
  for (int j = 0; j < kLanes; ++j) {
    sums[0] += loss[j];
    sums[1] += count[j];
  }
}

// The samples of one run, at most kChunk. p: room for the scores of a sample. sums: [losses, count].
template <typename T>
void add_run(const RowsBatch& b, const HingeOptions& options, int64_t first, int n, bool logits, double* p,
             double* sums, int64_t losses, RowsPart* part) {
  alignas(64) int32_t target[kChunk];
  alignas(64) double weight[kChunk], x[kChunk];
  const int run = b.rows.dims - 1;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[run], b_step = b.rows.b_stride[run];
  const bool all = read_samples(b, first, b_at, n, target, weight, part);
  if (b_step == 1) fetch(b.target, b.target_type, b_at + n, n);
  if (a_step == 1 && b.scores == 1) fetch(b.preds, b.preds_type, a_at + n, n);
  const T* scores = static_cast<const T*>(b.preds) + a_at;
  if (!options.multiclass) {
    bool outside = widen_scores(scores, a_step, n, x);
    if (!all) {
      outside = false;
      for (int i = 0; i < n; ++i) {
        if (weight[i] == kLeftOut) x[i] = weight[i] = 0.0;
        outside |= is_outside(x[i]);
      }
    }
    part->outside |= outside;
    if (outside && !logits) return;  // all will be done again
    add_samples(options, target, weight, logits, n, x, sums);
    return;
  }
  if (b.a_score == 1 && b.scores >= kFewClasses) {
    for (int i = 0; i < n; ++i) {
      if (weight[i] == kLeftOut) continue;
      const bool outside = widen_scores(scores + i * a_step, 1, b.scores, p);
      part->outside |= outside;
      if (outside && !logits) return;
      std::fill(p + b.scores, p + whole_vectors(b.scores), -kInfinity);
      add_sample(options, b.scores, target[i], weight[i], logits, p, sums);
      sums[losses] += weight[i];
    }
    return;
  }
  Doubles *columns = reinterpret_cast<Doubles*>(p), *totals = columns + b.scores;
  std::fill_n(totals, losses + 1, Doubles{});
  for (int i = 0; i < n; i += kDoubles) {
    const Group group(target + i, weight + i, std::min(kDoubles, n - i));
    const bool outside = widen_columns(scores + i * a_step, a_step, b.a_score, b.scores, group, columns);
    part->outside |= outside;
    if (outside && !logits) return;
    add_group(options, b.scores, group, logits, columns, totals);
    totals[losses] += group.weight;
  }
  for (int64_t l = 0; l <= losses; ++l) sums[l] += sum_of_lanes(totals[l]);
}

}  // namespace

void add_hinge(const RowsBatch& b, const HingeOptions& options, const HingeSums& to, int64_t* faults) {
  const int64_t losses = options.one_vs_all ? b.scores : 1;
  sum_rows(
      {b.rows.samples(), 1, b.scores, losses + 1, false}, faults,
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        thread_local std::vector<Doubles> p;  // of scores and sums
        p.resize(b.scores + losses + 1);
        while (begin < end && (logits || !part->outside)) {
          int64_t a_at, b_at;
          const int64_t n = std::min(b.rows.locate(begin, &a_at, &b_at), end - begin);
          with_score_type(b.preds_type, [&](auto t) {
            add_run<decltype(t)>(b, options, begin, static_cast<int>(n), logits, reinterpret_cast<double*>(p.data()),
                                 sums, losses, part);
          });
          begin += n;
        }
      },
      [&](int64_t, const double* sums) {
        for (int64_t i = 0; i < losses; ++i) to.hinge.add(i, sums[i]);
        to.count.add(0, sums[losses]);
      });
}

}  // namespace fastmetrics
