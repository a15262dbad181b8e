// SPDX-License-Identifier: Apache-2.0
//
// What rank correlations are made of. The meaning is in fastmetrics/formulas/rank_correlation.py.

#pragma once

#include "common/dtype.h"

namespace fastmetrics {

// Real values, [rows, columns]; strides count elements.
struct Columns {
  const void* data;
  DType type;
  int64_t rows, columns, row_stride, column_stride;
};

// ranks: [rows, columns].
void average_ranks(const Columns& values, double* ranks);

constexpr int64_t kPairOrder = 10;  // numbers a column

// orders: [columns, kPairOrder].
void pair_order(const Columns& x, const Columns& y, double* orders);

}  // namespace fastmetrics
