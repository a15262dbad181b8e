// SPDX-License-Identifier: Apache-2.0
//
// The proper scores pass on the CPU; its meaning is proper_scores_body in fastmetrics/passes/proper_scores.py.
//
// The log loss of a sample is log(a / b) + c, so that the logarithms of a run are taken together.

#include <algorithm>
#include <cmath>

#include "common/math_cpu.h"
#include "passes/loops_cpu.h"
#include "passes/rows_cpu.h"
#include "passes/sample_sums_cpu.h"
#include "passes/softmax_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kOfLabel = 3;  // sums of a label: Brier scores, log losses, samples
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// One run of samples, at most kChunk. A sample whose score is no probability, and no logit, has a Brier score of NaN.
template <typename T>
struct Run {
  const RowsBatch& b;
  const ProperScoresOptions& options;
  RowsPart* part;
  const T* scores;
  int64_t first, step;  // of its samples: number, distance
  int n;
  bool all;     // count
  bool logits;  // for certain
  alignas(64) int32_t target[kChunk];
  alignas(64) double weight[kChunk], brier[kChunk], a[kChunk], b_of[kChunk], c[kChunk];

  // Whether an undecided batch turns out to be logits, and all will be done again.
  bool ends(bool outside) {
    part->outside |= outside && options.logits < 0 && !logits;
    return part->outside && !logits;
  }

  double clipped(double p) const { return std::min(std::max(p, options.epsilon), 1.0 - options.epsilon); }

  // own: the probability of the target; others and squares: of the others, their sum and that of their squares.
  void take_logits(int i, double sum, double scale, double greatest, double own, double others, double squares) {
    const double missed = others * scale;
    brier[i] = missed * missed + squares * scale * scale;
    a[i] = sum;
    b_of[i] = 1.0;
    c[i] = greatest - own;
  }

  void take_probabilities(int i, bool outside, double own, double squares) {
    brier[i] = outside ? kNaN : (1.0 - own) * (1.0 - own) + squares;
    a[i] = 1.0;
    b_of[i] = clipped(own);
    c[i] = 0.0;
  }

  // Class scores that are neighbours and many. p: room for those of a sample.
  void read_rows(double* p) {
    const int64_t k = b.scores, whole = whole_vectors(k);
    for (int i = 0; i < n; ++i) {
      if (weight[i] == kLeftOut) continue;
      const bool outside = widen_scores(scores + i * step, 1, k, p);
      if (ends(outside)) return;
      const double own = p[target[i]];
      double greatest = 0.0, scale = 1.0;
      std::fill(p + k, p + whole, logits ? -kInfinity : 0.0);
      if (logits) scale = softmax(p, whole, &greatest);
      p[target[i]] = 0.0;
      Doubles others = {}, squares = {};
      for (int64_t j = 0; j < whole; j += kDoubles) {
        const Doubles x = load<Doubles>(p + j);
        others += x;
        squares += x * x;
      }
      if (logits) {
        take_logits(i, 1.0 / scale, scale, greatest, own, sum_of_lanes(others), sum_of_lanes(squares));
      } else {
        take_probabilities(i, outside, own, sum_of_lanes(squares));
      }
    }
  }

  // Class scores a vector a class. p: [C].
  void read_groups(Doubles* p) {
    for (int i = 0; i < n; i += kDoubles) {
      const Group group(target + i, weight + i, std::min(kDoubles, n - i));
      const bool outside = widen_columns(scores + i * step, step, b.a_score, b.scores, group, p);
      if (ends(outside)) return;
      Doubles own = {}, others = {}, squares = {}, greatest = {}, scale = {};
      for (int j = 0; j < kDoubles; ++j) own[j] = reinterpret_cast<double*>(p + group.target[j])[j];
      Words wrong = {};
      if (logits) {
        scale = softmax_of_lanes(p, b.scores, &greatest);
      } else if (outside) {
        for (int64_t k = 0; k < b.scores; ++k) wrong |= ~((p[k] >= 0.0) & (p[k] <= 1.0));
      }
      for (int j = 0; j < kDoubles; ++j) reinterpret_cast<double*>(p + group.target[j])[j] = 0.0;
      for (int64_t k = 0; k < b.scores; ++k) {
        others += p[k];
        squares += p[k] * p[k];
      }
      for (int j = 0; j < group.samples; ++j) {
        if (logits) {
          take_logits(i + j, 1.0 / scale[j], scale[j], greatest[j], own[j], others[j], squares[j]);
        } else {
          take_probabilities(i + j, wrong[j] != 0, own[j], squares[j]);
        }
      }
    }
  }

  // Binary scores, or those of labels.
  void read_elements() {
    alignas(64) double x[kChunk], e[kChunk];
    bool outside = widen_scores(scores, step, n, x);
    for (int i = 0; i < n && !all; ++i) x[i] = weight[i] == kLeftOut ? 0.0 : x[i];
    if (outside && !all) outside = std::any_of(x, x + n, [](double score) { return is_outside(score); });
    if (ends(outside)) return;
    if (!logits) {
      for (int i = 0; i < n; ++i) {
        const double missed = target[i] == 1 ? 1.0 - x[i] : x[i], own = target[i] == 1 ? x[i] : 1.0 - x[i];
        brier[i] = is_outside(x[i]) ? kNaN : missed * missed;
        a[i] = 1.0;
        b_of[i] = clipped(own);
        c[i] = 0.0;
      }
      return;
    }
    // with z for the target and e = exp(-|z|): the probability of the other is (z < 0 ? 1 : e) / (1 + e)
    for (int i = 0; i < n; ++i) a[i] = -std::fabs(x[i]);
    compute(a, a, n, e, [](auto of, auto, auto& math) { return math.exp(of); });
    for (int i = 0; i < n; ++i) {
      const double z = target[i] == 1 ? x[i] : -x[i];
      const double missed = (z < 0.0 ? 1.0 : e[i]) / (1.0 + e[i]);
      brier[i] = std::isnan(z) ? kNaN : missed * missed;
      a[i] = 1.0 + e[i];
      b_of[i] = 1.0;
      c[i] = z < 0.0 ? -z : 0.0;
    }
  }

  // Adds all samples to the sums of one label, lane by lane: a sum that waited for the last one would take longer than
  // all the rest.
  void add_up(const double* loss, double* sums) const {
    Doubles of_label[kOfLabel] = {};
    double rest[kOfLabel] = {};
    int i = 0;
    for (; i + kDoubles <= n; i += kDoubles) {
      const Doubles w = load<Doubles>(weight + i);
      const Doubles weighted = w * (load<Doubles>(loss + i) + load<Doubles>(c + i));
      of_label[0] += w * load<Doubles>(brier + i);
      of_label[1] += w == 0.0 ? Doubles{} : weighted;
      of_label[2] += w;
    }
    for (; i < n; ++i) {
      rest[0] += weight[i] * brier[i];
      rest[1] += weight[i] == 0.0 ? 0.0 : weight[i] * (loss[i] + c[i]);
      rest[2] += weight[i];
    }
    for (int k = 0; k < kOfLabel; ++k) sums[k] += sum_of_lanes(of_label[k]) + rest[k];
  }

  // rows: cells [S, labels]; null: all samples are added to `sums`.
  void add(double* sums, SampleSums<kOfLabel>* rows) {
    alignas(64) double loss[kChunk];
    uint64_t some = 0;
    for (int i = 0; i < n; ++i) some |= (weight[i] == kLeftOut ? 1 : 0) | (brier[i] != brier[i] ? 1 : 0);
    for (int i = 0; i < n && some != 0; ++i) {
      if (weight[i] != kLeftOut && !std::isnan(brier[i])) continue;
      if (weight[i] != kLeftOut) part->faults.add(kBadPreds, first + i, first + i);
      weight[i] = brier[i] = c[i] = 0.0;
      a[i] = b_of[i] = 1.0;
    }
    compute(a, b_of, n, loss, [](auto x, auto y, auto& math) { return math.log_of_ratio(x, y); });
    if (rows != nullptr) {
      rows->add_all(
          n, weight, options.label.labels, [&](int i) { return options.label(first + i); },
          [&](int i) {
            return std::array<double, kOfLabel>{weight[i] * brier[i], weight[i] * (loss[i] + c[i]), weight[i]};
          });
      return;
    }
    if (options.label.labels == 1) return add_up(loss, sums);
    LabelsFrom labels(options.label, first);
    for (int i = 0; i < n; ++i) {
      double* of_label = sums + labels.next() * kOfLabel;
      of_label[0] += weight[i] * brier[i];
      of_label[1] += weight[i] == 0.0 ? 0.0 : weight[i] * (loss[i] + c[i]);
      of_label[2] += weight[i];
    }
  }
};

template <typename T>
void add_run(const RowsBatch& b, const ProperScoresOptions& options, int64_t first, int n, bool logits, Doubles* room,
             double* sums, SampleSums<kOfLabel>* rows, RowsPart* part) {
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[b.rows.dims - 1];
  Run<T> run{b,      options, part,  static_cast<const T*>(b.preds) + a_at, first,
             a_step, n,       false, logits || options.logits > 0};
  run.all = read_samples(b, first, b_at, n, run.target, run.weight, part);
  if (!options.multiclass) {
    run.read_elements();
  } else if (b.a_score == 1 && b.scores >= kFewClasses) {
    run.read_rows(reinterpret_cast<double*>(room));
  } else {
    run.read_groups(room);
  }
  if (part->outside && !logits) return;
  if (rows != nullptr) rows->read(first, n, run.target);
  fetch(b.target, b.target_type, b_at + 2 * kChunk, n);
  if (a_step == 1) fetch(b.preds, b.preds_type, a_at + 2 * kChunk, n);
  run.add(sums, rows);
}

}  // namespace

void add_proper_scores(const RowsBatch& b, const Slicings* rows, const ProperScoresOptions& options,
                       const ProperScoresSums& to, int64_t* members, int64_t* faults) {
  const int64_t cells = options.label.labels * (rows == nullptr ? 1 : rows->count);
  const bool listed = SampleSums<kOfLabel>::listed(rows, b.rows.samples(), cells * kOfLabel);
  const bool in_pass = members != nullptr && !listed;
  if (members != nullptr && listed) {
    count_members(*rows, mask_of(b.valid, b.rows), members, rows->records() ? faults : nullptr);
  }
  auto add = [&](int64_t cell, const double* sums) {
    to.brier.add(cell, sums[0]);
    to.log_loss.add(cell, sums[1]);
    to.count.add(cell, sums[2]);
  };
  sum_rows(
      {b.rows.samples(), 1, b.scores, listed ? SampleSums<kOfLabel>::kListed : cells * kOfLabel, false, kChunk, listed},
      faults,
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        thread_local std::vector<Doubles> room;  // the scores of samples
        room.resize(b.scores + 1);
        if (in_pass && !part->members) part->members = Members(*rows);
        SampleSums<kOfLabel> of_rows(rows, sums, listed ? &part->sums : nullptr, &part->members);
        while (begin < end && (logits || !part->outside)) {
          int64_t a_at, b_at;
          const int64_t n = std::min(b.rows.locate(begin, &a_at, &b_at), end - begin);
          with_score_type(b.preds_type, [&](auto t) {
            add_run<decltype(t)>(b, options, begin, static_cast<int>(n), logits, room.data(), sums,
                                 rows == nullptr ? nullptr : &of_rows, part);
          });
          begin += n;
        }
      },
      [&](int64_t, const double* sums) {
        if (listed) return add(static_cast<int64_t>(sums[0]), sums + 1);
        for (int64_t cell = 0; cell < cells; ++cell) add(cell, sums + cell * kOfLabel);
      },
      members);
}

}  // namespace fastmetrics
