// SPDX-License-Identifier: Apache-2.0
//
// The exact match pass on the CPU; its meaning is exact_match_body in fastmetrics/passes/exact_match.py.
//
// Places go by in the order of the rows, some hundred at a time whatever the length of a row is: they are reduced to
// int32 targets and labels, and then compared by code that knows no type.

#include "common/operator.h"
#include "passes/argmax_cpu.h"
#include "passes/rows_arguments.h"
#include "passes/rows_cpu.h"
#include "rules/hinge.h"

namespace fastmetrics {
namespace {

// All places of all rows, in order.
Layout places_of_rows(const RowsBatch& b) {
  Layout all;
  for (const Layout* part : {&b.rows, &b.places}) {
    for (int d = 0; d < part->dims; ++d) {
      all.push(part->size[d], part->a_stride[d], part->b_stride[d], part->c_stride[d]);
    }
  }
  all.collapse(0);
  return all;
}

// The labels of a run, as narrow_labels gives them.
void read_labels(const RowsBatch& b, const ExactMatchOptions& options, int64_t a_at, int64_t a_step, int n, bool logits,
                 const int32_t* target, int32_t* labels, RowsPart* part) {
  if (!is_floating(b.preds_type)) {
    narrow_labels(b.preds, b.preds_type, a_at, a_step, n, options.classes > 0 ? options.classes : 2, nullptr, labels);
    return;
  }
  with_score_type(b.preds_type, [&](auto type) {
    using T = decltype(type);
    const T* x = static_cast<const T*>(b.preds) + a_at;
    if (options.classes > 0) {
      argmax_block(Scores<T>{x, a_step, b.a_score, b.scores}, n, labels);
      return;
    }
    using W = decltype(widen(T{}));
    const W cutoff = static_cast<W>(logits ? options.logit : options.probability);  // a value of T, so this is exact
    bool outside = false;
    for (int i = 0; i < n; ++i) {
      const W v = widen(x[i * a_step]);
      outside |= is_outside(v) && target[i] != kInvalid;
      labels[i] = v > cutoff;
    }
    part->outside |= outside;
  });
}

// Rows [begin, end). sums: matched, count.
void add_rows(const RowsBatch& b, const ExactMatchOptions& options, const Layout& all, int64_t begin, int64_t end,
              bool logits, double* sums, RowsPart* part) {
  alignas(64) int32_t target[kChunk], labels[kChunk];
  const int64_t places = b.places.samples(), classes = options.classes > 0 ? options.classes : 2;
  const int run = all.dims - 1;
  const int64_t a_step = all.a_stride[run], b_step = all.b_stride[run], c_step = all.c_stride[run];
  int64_t row = begin, place = 0;
  bool present = false, bad = false, wrong = false;  // of the row so far
  for (int64_t at = begin * places; at < end * places;) {
    int64_t a_at, b_at;
    const int64_t left = std::min(all.locate(at, &a_at, &b_at), end * places - at);
    const int n = static_cast<int>(std::min<int64_t>(left, kChunk));
    narrow_labels(b.target, b.target_type, b_at, b_step, n, classes, b.ignored(), target);
    if (b.valid != nullptr) mask_labels(b.valid, all.offset(at, all.c_stride), c_step, n, target);
    read_labels(b, options, a_at, a_step, n, logits, target, labels, part);
    if (part->outside && !logits) return;  // all will be done again
    for (int i = 0; i < n; ++i) {
      const int32_t t = target[i];
      present |= t != kInvalid;
      wrong |= t >= 0 && labels[i] != t;
      if (t == kBad) {
        part->faults.add(kBadTarget, b.place_of(row, place, places),
                         label_at(b.target, b.target_type, b_at + i * b_step));
      }
      const bool bad_label = labels[i] == kBad && t != kIgnored && t != kInvalid;
      if (bad_label) {
        part->faults.add(kBadPreds, b.place_of(row, place, places), label_at(b.preds, b.preds_type, a_at + i * a_step));
      }
      bad |= t == kBad || bad_label;
      if (++place < places) continue;
      const double weight = !present || b.weights == nullptr ? 1.0 : weight_of(b, row, part);
      if (present && !bad && weight >= 0.0) {
        if (!wrong) sums[0] += weight;
        sums[1] += weight;
      }
      present = bad = wrong = false;
      place = 0;
      ++row;
    }
    at += n;
  }
}

void exact_match_cpu(View preds, View target, OptionalView valid, OptionalView weights, State matched, State count,
                     OptionalState faults, int64_t num_classes, double probability_cutoff, double logit_cutoff,
                     int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = exact_match_batch(preds, target, valid, weights, num_classes, ignore_index, has_ignore_index);
  const ExactMatchOptions options = exact_match_options(target, matched, num_classes, probability_cutoff, logit_cutoff);
  const ExactMatchSums to = exact_match_sums(b, options, matched, count);
  const Layout all = places_of_rows(b);
  const int64_t of_unit = options.apart ? b.inner : 1;
  if (b.rows.samples() == 0) return;
  sum_rows(
      {b.rows.samples() / of_unit, of_unit, b.places.samples() * b.scores, 2, options.apart}, faults_data(faults),
      [&](int64_t begin, int64_t end, bool logits, double* sums, RowsPart* part) {
        add_rows(b, options, all, begin, end, logits, sums, part);
      },
      [&](int64_t group, const double* sums) {
        to.matched.add(group, sums[0]);
        to.count.add(group, sums[1]);
      });
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("exact_match_", &fastmetrics::exact_match_cpu)
