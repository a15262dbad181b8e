// SPDX-License-Identifier: Apache-2.0
//
// The rows of a state that each sample is added to: those of its groups, of one or several slicings, or its own.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

struct SampleRows {
  const void* data;  // integers [K, ...]; null: neighbours have a row together, the first ones row 0
  DType type;
  int64_t slicings, slicing_stride;  // K
  Layout layout;                     // of the samples; only its first stride is used
  int64_t count;                     // of rows of the state; a sample whose row is outside of [0, count) is left out
  int64_t neighbours;                // without data: samples after another that have a row

  FM_HD int64_t slicing(int64_t k) const { return k * slicing_stride; }
  FM_HD int64_t row_of(int64_t sample, int64_t k) const {
    if (data == nullptr) return sample / neighbours;
    return label_at(data, type, slicing(k) + layout.offset(sample, layout.a_stride));
  }
};

// The rows of samples that have several columns, or of each of their columns.
struct ColumnRows {
  SampleRows of_first;  // those of the first column
  int64_t a_column;     // from there to those of the next one; 0 if they are those of samples
};

// Which samples are looked at.
struct GroupsMask {
  const bool* valid;  // null: all are
  Layout layout;      // of the samples; only its first stride is used
};

}  // namespace fastmetrics
