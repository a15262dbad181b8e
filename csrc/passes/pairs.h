// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the pairs pass are given, on every device. The meaning is pairs_body in
// fastmetrics/passes/pairs.py.

#pragma once

#include "common/dtype.h"
#include "common/faults.h"
#include "common/layout.h"
#include "rules/errors.h"
#include "rules/moments.h"

namespace fastmetrics {

struct PairsBatch {
  const void* preds;  // any shape for one output, [..., D] for more
  DType preds_type;
  const void* target;  // same shape
  DType target_type;
  const bool* valid;      // same shape; null if all pairs are
  const double* weights;  // same shape; null if all are 1
  Layout layout;          // of the pairs of one output
  int64_t outputs, a_output, b_output, c_output, d_output;
  double p, power, preds_threshold, target_threshold;
};

// Float64, null where it was not asked for.
struct PairsStates {
  double* count;                // [D]
  double* moments;              // [D, 6]
  double* extremes;             // [D, 3]
  double* errors[kErrorKinds];  // [D] each
  double* deviance;             // [D, 2]
  double* events;               // [D, 3]
  int64_t* faults;              // int64 [kFaults]

  // Whether loops over neighbours have all that is asked for: count, moments, squared and absolute errors.
  bool only_simple() const {
    for (int kind = kSquaredLogError; kind < kErrorKinds; ++kind) {
      if (errors[kind] != nullptr) return false;
    }
    return extremes == nullptr && deviance == nullptr && events == nullptr;
  }
};

// The statistics of some pairs of one output; those that were not asked for are empty.
struct PairsSums {
  double count = 0.0;
  Moments moments;
  double extremes[3] = {};
  double errors[kErrorKinds] = {};
  double deviance[2] = {}, events[3] = {};

  FM_HD void add(const PairsSums& other) {
    count += other.count;
    moments = merged(moments, other.moments);
    add_extremes(other.extremes, extremes);
    for (int kind = 0; kind < kErrorKinds; ++kind) errors[kind] += other.errors[kind];
    for (int i = 0; i < 2; ++i) deviance[i] += other.deviance[i];
    for (int i = 0; i < 3; ++i) events[i] += other.events[i];
  }

  FM_HD void add_to(const PairsStates& s, int64_t d) const {
    if (s.count != nullptr) s.count[d] += count;
    if (s.moments != nullptr) store(merged(moments_at(s.moments + 6 * d), moments), s.moments + 6 * d);
    if (s.extremes != nullptr) add_extremes(extremes, s.extremes + 3 * d);
    for (int kind = 0; kind < kErrorKinds; ++kind) {
      if (s.errors[kind] != nullptr) s.errors[kind][d] += errors[kind];
    }
    for (int i = 0; s.deviance != nullptr && i < 2; ++i) s.deviance[2 * d + i] += deviance[i];
    for (int i = 0; s.events != nullptr && i < 3; ++i) s.events[3 * d + i] += events[i];
  }
};

}  // namespace fastmetrics
