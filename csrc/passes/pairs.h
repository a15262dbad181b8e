// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the pairs pass are given, on every device. The meaning is pairs_body in
// fastmetrics/passes/pairs.py.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

struct PairsBatch {
  const void* preds;  // any shape for one output, [N, D] for more
  DType preds_type;
  const void* target;  // same shape
  DType target_type;
  Layout layout;  // of the pairs of one output
  int64_t outputs, a_output, b_output;
};

// Float64 [D] each; null where it was not asked for.
struct PairsSums {
  double* squared;
  double* absolute;
};

}  // namespace fastmetrics
