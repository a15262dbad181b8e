// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the row pairs pass are given, on every device. The meaning is row_pairs_body in
// fastmetrics/passes/row_pairs.py.

#pragma once

#include <type_traits>

#include "common/dtype.h"
#include "rules/rows.h"

namespace fastmetrics {

struct RowPairsBatch {
  const void *preds, *target;  // [N, D] each
  DType preds_type, target_type;
  int64_t rows, columns;
  int64_t preds_row, preds_column, target_row, target_column;  // strides
  int64_t figure;
  double* out;  // [N]
};

// Calls f(std::integral_constant) with the figure.
template <typename F>
FM_HD void with_figure(int64_t figure, F&& f) {
  switch (figure) {
    case kCosine:
      return f(std::integral_constant<int64_t, kCosine>{});
    case kKl:
      return f(std::integral_constant<int64_t, kKl>{});
    case kKlLog:
      return f(std::integral_constant<int64_t, kKlLog>{});
    case kJs:
      return f(std::integral_constant<int64_t, kJs>{});
    default:
      return f(std::integral_constant<int64_t, kJsLog>{});
  }
}

}  // namespace fastmetrics
