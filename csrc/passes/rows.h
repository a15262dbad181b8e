// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the hinge, calibration, proper scores, ranking and exact match passes are given, on every device:
// samples that are a row of scores or labels, of each of which a figure is summed. The meaning is hinge_body,
// calibration_body, proper_scores_body, ranking_body and exact_match_body in fastmetrics/passes.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

struct RowsBatch {
  const void* preds;
  DType preds_type;
  const void* target;
  DType target_type;
  const bool* valid;      // shape of target, null: all are
  const double* weights;  // one a row, null: all are 1
  Layout rows;            // strides of preds, target, valid and weights
  Layout places;          // of one row: strides of preds, target and valid
  int64_t scores;         // of one place: C, or 1 for a score or a label
  int64_t a_score;        // distance of the scores of a place
  int64_t inner;          // rows of one index of dimension 0
  int64_t ignore;
  bool has_ignore;

  const int64_t* ignored() const { return has_ignore ? &ignore : nullptr; }

  FM_HD double weight(int64_t row) const { return weights == nullptr ? 1.0 : weights[rows.offset(row, rows.d_stride)]; }

  // Where the target of place `i` of a row is in the batch.
  FM_HD int64_t place_of(int64_t row, int64_t i, int64_t places_of_row) const {
    return (row / inner * places_of_row + i) * inner + row % inner;
  }

  // Offset of the element at `place`, as place_of gives it, in the tensor with these strides.
  FM_HD int64_t offset_of(int64_t place, int64_t places_of_row, const int64_t* of_rows,
                          const int64_t* of_places) const {
    const int64_t row = place / inner / places_of_row * inner + place % inner;
    return rows.offset(row, of_rows) + places.offset(place / inner % places_of_row, of_places);
  }
};

// A sum of the state: int64 of samples without weights, float64 otherwise; nothing if it was not asked for.
struct Sum {
  int64_t* whole;
  double* real;

  // A whole number is exact up to 2^53.
  FM_HD void add(int64_t i, double x) const {
    if (whole != nullptr) whole[i] += static_cast<int64_t>(x);
    if (real != nullptr) real[i] += x;
  }
};

struct HingeOptions {
  bool multiclass, squared, one_vs_all;
};

struct HingeSums {
  Sum hinge;  // [1] or [C]
  Sum count;  // []
};

// Of multilabel scores [N, L, ...], whose samples are elements.
struct LabelsOfElements {
  int64_t labels = 1, inner = 1;  // L, and the elements of one index of dimension 1; 1 for binary scores

  FM_HD int64_t operator()(int64_t element) const { return labels == 1 ? 0 : element / inner % labels; }
};

struct CalibrationOptions {
  bool multiclass;
  bool rounds;          // confidences to float32
  int64_t logits;       // 0 or 1; -1: the values decide
  const double* edges;  // [bins]
  int64_t bins;
  int64_t columns;  // 0: bins of confidences; else C or L: bins of the probabilities of each class or label
  LabelsOfElements label;
};

struct CalibrationSums {
  Sum counts, confidences, hits;  // [bins] or [columns, bins] each
};

struct ProperScoresOptions {
  bool multiclass;
  int64_t logits;  // 0 or 1; -1: the values decide
  double epsilon;  // of the dtype: the least probability of a target
  LabelsOfElements label;
};

struct ProperScoresSums {
  Sum brier, log_loss, count;  // [1] or [L] each
};

struct RankingSums {
  Sum coverage, average_precision, ranking_loss, count;  // [] each
};

struct ExactMatchOptions {
  int64_t classes;  // 0: multilabel
  double probability, logit;
  bool apart;      // a sum for each index of dimension 0
  int64_t groups;  // of the sums: N if apart, else 1
};

struct ExactMatchSums {
  Sum matched, count;  // [] or [N]
};

}  // namespace fastmetrics
