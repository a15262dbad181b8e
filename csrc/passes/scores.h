// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the passes of scores are given, on every device: score_histogram_ and keep_scores_, whose meaning
// is in fastmetrics/passes/scores.py.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

// Scores in columns: one for binary input, one a class or label. A target of classes is one a sample, and of its
// columns one is positive; a target of labels is 0 or 1 in each column.
struct ScoresBatch {
  const void* preds;
  DType preds_type;
  const void* target;
  DType target_type;
  const bool* valid;      // shape of target, null: all are
  const double* weights;  // shape of target, null: all are 1
  Layout rows;            // of the samples: strides of preds, target, valid and weights
  int64_t columns;
  int64_t a_column, b_column, c_column, d_column;  // distances of the columns; 0 but for preds if `multiclass`
  int64_t inner;                                   // samples of one index of dimension 0
  int64_t ignore;
  int64_t logits;  // kProbabilities, kLogits, or kEither: logits if a score lies outside [0, 1]
  bool multiclass, has_ignore, ignored_decide;

  const int64_t* ignored() const { return has_ignore ? &ignore : nullptr; }

  // Where the score of a column of a sample is in the batch, and where its target is.
  FM_HD int64_t score_at(int64_t row, int64_t column) const {
    return (row / inner * columns + column) * inner + row % inner;
  }
  FM_HD int64_t place_of(int64_t row, int64_t column) const { return multiclass ? row : score_at(row, column); }
};

enum { kEither = -1, kProbabilities = 0, kLogits = 1 };

// cuts, logit_cuts: float64 [T], ascending and NaN last: a score is in bin b if it is at least as great as b of them.
// `uniform` cuts are i / (T - 1), rounded in any way.
struct ScoreBins {
  const double *cuts, *logit_cuts;
  int64_t number;
  bool uniform;
};

// Keys of scores, which have their order; see score_keys in fastmetrics/passes/score_keys.py. Scores of 16 bits have
// keys of their own: those of bfloat16 come first. Otherwise a key is the leading `bits` of one of 31 bits.
struct ScoreKeys {
  int bits;      // 0: keys of 16-bit scores
  bool signed_;  // of which any number is a score, and not only those from 0 to 1

  static constexpr int64_t kOfBFloat16 = 0x3f81, kOfHalf = 0x3c01, kOfSigned = 0x10000;
  static constexpr int32_t kHalfway = 0x3f000000;  // the key of 1/2: its bits

  int64_t number() const {
    if (bits != 0) return (int64_t{1} << bits);
    return signed_ ? 2 * kOfSigned : kOfBFloat16 + kOfHalf;
  }
};

}  // namespace fastmetrics
