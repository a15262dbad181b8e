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
  const int64_t* before = nullptr;  // [columns, blocks + 1, 2]: positives and points before each block of rows

  static constexpr int64_t kBlockRows = 1024;

  int64_t blocks() const { return (rows + kBlockRows - 1) / kBlockRows; }
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

// before: that of the curves, which is null yet.
void count_blocks(const Curves& curves, int64_t* before);

// The next ones read `before`.

// thresholds, tp, fp: [points], column after column.
void curve_points(const Curves& curves, void* thresholds, int64_t* tp, int64_t* fp);

// fpr, tpr, thresholds: [points + columns], column after column; (0, 0) at threshold 1 is the first of each.
void roc_curves(const Curves& curves, float* fpr, float* tpr, void* thresholds);

// precision, recall: [points + columns]; thresholds: [points], ascending; (1, 0) is the last of each column. `absent`
// is the recall of a column without positives.
void precision_recall_curves(const Curves& curves, float absent, float* precision, float* recall, void* thresholds);

// What is looked for, see fastmetrics/formulas/operating_points.py.
enum class PointSearch { kEqualErrors, kSpecificity, kSensitivity, kRecall, kPrecision };

// found: [columns, 2]: how many scores reach the threshold, negative if there is none, and how many positive ones do.
void find_points(const Curves& curves, PointSearch search, double least, int64_t* found);

}  // namespace fastmetrics
