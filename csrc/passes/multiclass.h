// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the multiclass pass are given, on every device. The meaning is multiclass_body in
// fastmetrics/passes/multiclass.py.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

struct MulticlassBatch {
  const void* preds;  // scores [N, C, ...] or labels [N, ...]
  DType preds_type;
  const void* target;  // [N, ...]
  DType target_type;
  Layout layout;  // of the samples
  bool scores;
  int64_t classes;
  int64_t class_stride;
  int64_t ignore;
  bool has_ignore;
  bool samplewise;
  int64_t per_sample;  // samples of one index of dimension 0

  const int64_t* ignored() const { return has_ignore ? &ignore : nullptr; }
};

// Null where it was not asked for.
struct MulticlassStates {
  int64_t* confusion;  // [C, C]
  int64_t* counts;     // [C, 3] or [N, C, 3]
  int64_t* ranks;      // [C, K, 2] or [N, C, K, 2]
  int64_t* faults;     // [kFaults]
  int64_t k;
};

}  // namespace fastmetrics
