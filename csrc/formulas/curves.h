// SPDX-License-Identifier: Apache-2.0
//
// Scores in descending order, and what is counted walking down them. The meaning is in
// fastmetrics/formulas/curve_table.py.

#pragma once

#include "common/dtype.h"

namespace fastmetrics {

// Sorted scores. values, labels: [columns, rows]; labels are null if the signs of values say them, which are sorted by
// magnitude then. counts: [columns, 2], how many of a row are meant, and how many distinct values they have.
struct Curves {
  void* values;
  DType type;
  uint8_t* labels;
  int64_t* counts;
  int64_t columns, rows;

  int64_t points() const {
    int64_t n = 0;
    for (int64_t c = 0; c < columns; ++c) n += counts[2 * c + 1];
    return n;
  }
};

// scores: [rows, columns], NaN for none; labels: [rows, columns], or null if the sign of a score says its label.
void sort_scores(const void* scores, const int8_t* labels, const Curves& to);

// areas: [columns, 4]: positives, negatives, the area under the counts of both, and, if `precision`, the sum of the
// precisions of the positives.
void curve_areas(const Curves& curves, bool precision, double* areas);

// thresholds, tp, fp: [points], column after column.
void curve_points(const Curves& curves, void* thresholds, int64_t* tp, int64_t* fp);

}  // namespace fastmetrics
