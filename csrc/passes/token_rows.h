// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the token rows pass are given, on every device. The meaning is token_rows_body in
// fastmetrics/passes/token_rows.py.

#pragma once

#include "common/dtype.h"
#include "common/layout.h"

namespace fastmetrics {

// Targets that are no index of the vocabulary.
constexpr int64_t kSkipped = -1;    // the token is not read
constexpr int64_t kElsewhere = -2;  // it is read, but the target is before these logits; from V on, it is behind them

// Rows of the result.
enum class TokenValue : int64_t { kGreatest, kSum, kWeighted, kOwn, kRank };
constexpr int64_t kTokenValues = 5;

struct TokenRowsBatch {
  const void* logits;  // [N, V]
  DType type;
  Layout tokens;          // strides of logits
  int64_t vocabulary;     // V
  int64_t a_logit;        // distance of the logits of a token
  const int64_t* target;  // [N]: an index, or one of the above; any other that is negative is as kElsewhere
  bool entropy, rank;     // whether these are asked for; else their values are 0
  const double* own;      // [N] or null: the targets' logits, where they are not here
  double* out;            // [kTokenValues, N]
};

}  // namespace fastmetrics
