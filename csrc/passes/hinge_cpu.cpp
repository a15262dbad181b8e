// SPDX-License-Identifier: Apache-2.0
//
// The hinge pass on the CPU; its meaning is hinge_body in fastmetrics/passes/hinge.py.

#include <cmath>

#include "common/operator.h"
#include "passes/rows_arguments.h"
#include "passes/rows_cpu.h"
#include "rules/hinge.h"
#include "rules/order.h"

namespace fastmetrics {
namespace {

// Probabilities of one sample, from its scores. p: float64 [C].
void softmax(double* p, int64_t classes) {
  double most = p[0], sum = 0.0;
  for (int64_t c = 1; c < classes; ++c) most = beats(p[c], most) ? p[c] : most;
  for (int64_t c = 0; c < classes; ++c) sum += p[c] = std::exp(p[c] - most);
  for (int64_t c = 0; c < classes; ++c) p[c] /= sum;
}

// Adds one sample to sums [losses]. p: float64 [scores], its scores, which become probabilities if they are logits.
void add_sample(const HingeOptions& options, int64_t classes, int32_t target, double weight, bool logits, double* p,
                double* sums) {
  if (!options.multiclass) {
    const double x = logits ? 1.0 / (1.0 + std::exp(-p[0])) : p[0];
    sums[0] += weight * hinge_of(target != 0 ? x : -x, options.squared);
    return;
  }
  if (logits) softmax(p, classes);
  if (options.one_vs_all) {
    for (int64_t c = 0; c < classes; ++c) sums[c] += weight * hinge_of(c == target ? p[c] : -p[c], options.squared);
    return;
  }
  const double own = p[target];
  double other = p[target == 0 ? 1 : 0];
  for (int64_t c = 0; c < classes; ++c) other = c != target && beats(p[c], other) ? p[c] : other;
  sums[0] += weight * hinge_of(own - other, options.squared);
}

// The samples of one run, at most kChunk. sums: [losses, count].
template <typename T>
void add_run(const RowsBatch& b, const HingeOptions& options, int64_t first, int n, bool logits, double* p,
             double* sums, int64_t losses, RowsPart* part) {
  alignas(64) int32_t target[kChunk];
  const int run = b.rows.dims - 1;
  int64_t a_at, b_at;
  b.rows.locate(first, &a_at, &b_at);
  const int64_t a_step = b.rows.a_stride[run], b_step = b.rows.b_stride[run];
  narrow_labels(b.target, b.target_type, b_at, b_step, n, std::max<int64_t>(2, b.scores), b.ignored(), target);
  if (b.valid != nullptr) mask_labels(b.valid, b.rows.offset(first, b.rows.c_stride), b.rows.c_stride[run], n, target);
  for (int i = 0; i < n; ++i) {
    if (target[i] == kIgnored || target[i] == kInvalid) continue;
    if (target[i] == kBad) {
      part->faults.add(kBadTarget, first + i, label_at(b.target, b.target_type, b_at + i * b_step));
    }
    const double weight = b.weights == nullptr ? 1.0 : weight_of(b, first + i, part);
    if (target[i] < 0 || weight < 0.0) continue;
    const T* x = static_cast<const T*>(b.preds) + a_at + i * a_step;
    bool outside = false;
    for (int64_t c = 0; c < b.scores; ++c) {
      p[c] = widen(x[c * b.a_score]);
      outside |= is_outside(p[c]);
    }
    part->outside |= outside;
    if (outside && !logits) return;  // all will be done again
    add_sample(options, b.scores, target[i], weight, logits, p, sums);
    sums[losses] += weight;
  }
}

void hinge_cpu(View preds, View target, OptionalView valid, OptionalView weights, State hinge, State count,
               OptionalState faults, bool squared, bool one_vs_all, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = hinge_batch(preds, target, valid, weights, ignore_index, has_ignore_index);
  const bool multiclass = preds.dim() > target.dim();
  const HingeOptions options{multiclass, squared, one_vs_all && multiclass};
  const HingeSums to = hinge_sums(b, options, hinge, count);
  const int64_t losses = options.one_vs_all ? b.scores : 1;
  sum_rows(
      {b.rows.samples(), 1, b.scores, losses + 1, false}, faults_data(faults),
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        thread_local std::vector<double> p;
        p.resize(b.scores);
        while (begin < end && (logits || !part->outside)) {
          int64_t a_at, b_at;
          const int64_t n = std::min(b.rows.locate(begin, &a_at, &b_at), end - begin);
          with_score_type(b.preds_type, [&](auto t) {
            add_run<decltype(t)>(b, options, begin, static_cast<int>(n), logits, p.data(), sums, losses, part);
          });
          begin += n;
        }
      },
      [&](int64_t, const double* sums) {
        for (int64_t i = 0; i < losses; ++i) to.hinge.add(i, sums[i]);
        to.count.add(0, sums[losses]);
      });
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("hinge_", &fastmetrics::hinge_cpu)
