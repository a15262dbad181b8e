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

// scores: [rows, columns] whose signs are labels, NaN for none; keys: [columns, rows], unsigned numbers of their size
// that ascend where magnitudes descend. ends: [columns, parts], where parts of a column end that follow each other.
void score_keys(const void* scores, DType type, int64_t rows, int64_t columns, int64_t parts, void* keys,
                int64_t* ends);

// scores: [rows, columns], NaN for none; labels: [rows, columns], negative for none.
void sort_labelled(const void* scores, const int8_t* labels, const Curves& to);

// Turns sorted keys to values, if there are `keys` yet, and finds the counts, what is `before` each block, and areas:
// [columns, 3], positives, negatives, and the area under the counts of both.
void walk_curves(const Curves& curves, bool keys, int64_t* before, double* areas);

// The next ones read `before`.

// sums: [columns], of the precisions of the positives.
void sum_precisions(const Curves& curves, double* sums);

// thresholds, tp, fp: [points], column after column.
void curve_points(const Curves& curves, void* thresholds, int64_t* tp, int64_t* fp);

// fpr, tpr, thresholds: [points + columns], column after column; (0, 0) at threshold 1 is the first of each.
void roc_curves(const Curves& curves, float* fpr, float* tpr, void* thresholds);

// precision, recall: [points + columns]; thresholds: [points], ascending; (1, 0) is the last of each column. `absent`
// is the recall of a column without positives.
void precision_recall_curves(const Curves& curves, float absent, float* precision, float* recall, void* thresholds);

// What is looked for, see fastmetrics/formulas/operating_points.py.
enum class PointSearch { kEqualErrors, kSpecificity, kSensitivity, kRecall, kPrecision };

// found: [columns, 2]: the positives and the negatives that reach the threshold, -1 if there is none. thresholds:
// [columns], 1 where no score does, NaN if there is none.
void find_points(const Curves& curves, PointSearch search, double least, int64_t* found, void* thresholds);

// Scores [rows, columns], NaN for none, whose signs are labels unless there are labels, negative for none. weights:
// [rows, weight_columns], of one column for all or as many; 0 is none.
struct WeightedScores {
  const void* scores;
  DType type;
  const int8_t* labels;
  const double* weights;
  int64_t columns, rows, weight_columns;
};

// The points at the distinct scores of each column, the greatest first. thresholds, tp, fp: [columns, rows], of which
// `sizes` [columns] are written. sums: [columns, 4], positives, negatives, the area under the sums of both, and the
// sum of the weighted precisions of positives.
struct WeightedPoints {
  void* thresholds;
  double *tp, *fp;
  int64_t* sizes;
  double* sums;
};

void weighted_points(const WeightedScores& of, const WeightedPoints& to);

}  // namespace fastmetrics
