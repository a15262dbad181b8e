// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the binary and multilabel pass are given, on every device. The meaning is binary_body in
// fastmetrics/passes/binary.py.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

struct BinaryBatch {
  const void* preds;  // [N, ...] or [N, L, ...]
  DType preds_type;
  const void* target;  // same shape
  DType target_type;
  const bool* valid;      // same shape, null: all are
  const double* weights;  // same shape, null: all are 1
  Layout samples;         // without the label dimension
  int64_t labels, a_label, b_label, c_label, d_label;
  double probability, logit;
  int64_t ignore;
  bool has_ignore;
  bool ignored_decide;
  bool samplewise;
  int64_t groups;      // of counts: N if samplewise, else 1
  int64_t per_sample;  // elements of one label and one index of dimension 0

  const int64_t* ignored() const { return has_ignore ? &ignore : nullptr; }

  FM_HD bool is_valid(int64_t sample, int64_t label) const {
    return valid == nullptr || valid[samples.offset(sample, samples.c_stride) + label * c_label];
  }
};

// The place of sample i of label l in the batch.
FM_HD int64_t place_of(const BinaryBatch& b, int64_t i, int64_t l) {
  return (i / b.per_sample * b.labels + l) * b.per_sample + i % b.per_sample;
}

}  // namespace fastmetrics
