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
  const bool* valid;      // [N, ...], null: all are
  const double* weights;  // [N, ...], null: all are 1
  Layout layout;          // of the samples
  bool scores;
  int64_t classes;
  int64_t class_stride;
  int64_t ignore;
  bool has_ignore;
  bool samplewise;
  int64_t per_sample;  // samples of one index of dimension 0

  const int64_t* ignored() const { return has_ignore ? &ignore : nullptr; }

  FM_HD bool is_valid(int64_t sample) const {
    return valid == nullptr || valid[layout.offset(sample, layout.c_stride)];
  }
};

// Null where it was not asked for. Cells are int64, or double for weighted samples. States of samples of given rows
// have a first dimension for these.
template <typename Cell>
struct MulticlassCells {
  Cell* confusion;       // [C, C]
  Cell* counts;          // [C, 3] or [N, C, 3]
  Cell* ranks;           // [C, K, 2] or [N, C, K, 2]
  Cell* rank_histogram;  // [C]
  int64_t* faults;       // [kFaults]
  int64_t k;
  Cell* totals;  // [3], the sums of the counts over all classes, in their place; they are asked for alone

  FM_HD bool want_ranks() const { return ranks != nullptr || rank_histogram != nullptr; }
};
using MulticlassStates = MulticlassCells<int64_t>;

}  // namespace fastmetrics
