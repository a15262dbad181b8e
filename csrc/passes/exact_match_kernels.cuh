// SPDX-License-Identifier: Apache-2.0
//
// The rows of the exact match pass; its meaning is exact_match_body in fastmetrics/passes/exact_match.py. A thread, or
// a warp where a row has many places, has a row.

#pragma once

#include "passes/rows_kernels.cuh"
#include "rules/hinge.h"
#include "rules/order.h"

namespace fastmetrics {

// Sums: matched as probabilities, matched as logits, count.
struct ExactMatchPass {
  static constexpr int kSums = 3;
  RowsBatch b;
  ExactMatchOptions options;
  ExactMatchSums to;

  template <int kLanes>
  __device__ void add(int64_t row, int lane, RowSums<kSums>* sums, bool* outside, BadOnes* faults) const {
    const int64_t places = b.places.samples(), classes = options.classes > 0 ? options.classes : 2;
    const int64_t a_row = b.rows.offset(row, b.rows.a_stride), b_row = b.rows.offset(row, b.rows.b_stride);
    const int64_t c_row = b.valid == nullptr ? 0 : b.rows.offset(row, b.rows.c_stride);
    bool present = false, bad = false, wrong = false, wrong_logit = false;
    for (int64_t i = lane; i < places; i += kLanes) {
      if (b.valid != nullptr && !b.valid[c_row + b.places.offset(i, b.places.c_stride)]) continue;
      present = true;
      const int64_t target = label_at(b.target, b.target_type, b_row + b.places.offset(i, b.places.b_stride));
      const int64_t at = a_row + b.places.offset(i, b.places.a_stride);
      const bool ignored = b.has_ignore && target == b.ignore;
      const bool bad_target = !ignored && (target < 0 || target >= classes);
      int64_t label, label_of_logit;
      bool bad_label = false;
      if (!is_floating(b.preds_type)) {
        label = label_of_logit = label_at(b.preds, b.preds_type, at);
        bad_label = !ignored && (label < 0 || label >= classes);
      } else if (options.classes > 0) {
        double best = score_at(b, at);
        label = 0;
        for (int64_t c = 1; c < classes; ++c) {
          const double v = score_at(b, at + c * b.a_score);
          if (!beats(v, best)) continue;
          best = v;
          label = c;
        }
        label_of_logit = label;
      } else {
        const double v = score_at(b, at);
        if (is_outside(v)) *outside = true;
        label = v > options.probability;
        label_of_logit = v > options.logit;
      }
      if (bad_target) faults->add(kBadTarget, b.place_of(row, i, places));
      if (bad_label) faults->add(kBadPreds, b.place_of(row, i, places));
      bad |= bad_target || bad_label;
      wrong |= !ignored && label != target;
      wrong_logit |= !ignored && label_of_logit != target;
    }
    present = any_of<kLanes>(present);
    bad = any_of<kLanes>(bad);
    wrong = any_of<kLanes>(wrong);
    wrong_logit = any_of<kLanes>(wrong_logit);
    if (lane != 0 || !present) return;
    const double weight = b.weight(row);
    if (!good_weight(weight)) faults->add(kBadWeight, row);
    if (bad || !good_weight(weight)) return;
    sums->of[0] += wrong ? 0.0 : weight;
    sums->of[1] += wrong_logit ? 0.0 : weight;
    sums->of[2] += weight;
  }

  __device__ void finish(int64_t i, const double* sums, bool logits) const {
    to.matched.add(i, logits ? sums[1] : sums[0]);
    to.count.add(i, sums[2]);
  }
};

}  // namespace fastmetrics
