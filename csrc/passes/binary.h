// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the binary and multilabel pass are given, on every device. The meaning is binary_body in
// fastmetrics/passes/binary.py.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"
#include "passes/sample_rows.h"

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
  int64_t groups;      // rows of counts: N if each index of dimension 0 has one, else 1
  int64_t per_sample;  // elements of one label and one index of dimension 0

  const int64_t* ignored() const { return has_ignore ? &ignore : nullptr; }

  FM_HD bool is_valid(int64_t sample, int64_t label) const {
    return valid == nullptr || valid[samples.offset(sample, samples.c_stride) + label * c_label];
  }
};

// A label in place of scores.
struct Label {};

template <typename T>
FM_HD T element(const BinaryBatch& b, T, int64_t at) {
  return static_cast<const T*>(b.preds)[at];
}
FM_HD int64_t element(const BinaryBatch& b, Label, int64_t at) { return label_at(b.preds, b.preds_type, at); }

// The place of sample i of label l in the batch.
FM_HD int64_t place_of(const BinaryBatch& b, int64_t i, int64_t l) {
  return (i / b.per_sample * b.labels + l) * b.per_sample + i % b.per_sample;
}

// The rows of counts, [S, L, 4], of the elements of a batch that has the label as a dimension like any other.
struct BinaryRows {
  SampleRows of;
  int64_t labels, inner;  // L, and elements after another that have one label

  FM_HD int64_t count() const { return of.count * labels; }

  // The row and label of element i in slicing k as one number; negative where it is left out.
  FM_HD int64_t place_of(int64_t i, int64_t k) const {
    const int64_t row = of.row_of(i, k);
    if (row < 0 || row >= of.count) return -1;
    return labels == 1 ? row : row * labels + i / inner % labels;
  }
};

// What is counted of a row and label, as both readings of its scores, because which one is meant is known only when all
// scores of the batch are read.
constexpr int kCells = 8;

// target and what is decided: 0 or 1.
FM_HD int32_t cell_of(int32_t target, int32_t as_probability, int32_t as_logit) {
  return target * 4 + as_probability * 2 + as_logit;
}

// Which of tp, fp, tn and fn a cell is.
FM_HD int outcome_of(int cell, bool logits) {
  const bool target = (cell & 4) != 0, positive = (cell & (logits ? 1 : 2)) != 0;
  return positive ? (target ? 0 : 1) : (target ? 3 : 2);
}

}  // namespace fastmetrics
