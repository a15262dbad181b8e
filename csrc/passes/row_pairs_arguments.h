// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/row_pairs.h"

namespace fastmetrics {

// preds, target: [N, D]; out: float64 [N].
inline RowPairsBatch row_pairs_batch(const View& preds, const View& target, int64_t figure, const View& out) {
  RowPairsBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  require(b.preds_type != DType::kOther && b.target_type != DType::kOther, "row_pairs: preds and target must be real");
  require(preds.dim() == 2 && target.dim() == 2 && preds.size(0) == target.size(0) && preds.size(1) == target.size(1),
          "row_pairs: preds and target must be [N, D]");
  require(figure >= 0 && figure < kFigures, "row_pairs: there is no such figure");
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.rows = preds.size(0);
  b.columns = preds.size(1);
  b.preds_row = preds.stride(0);
  b.preds_column = preds.stride(1);
  b.target_row = target.stride(0);
  b.target_column = target.stride(1);
  b.figure = figure;
  b.out = static_cast<double*>(out.mutable_data_ptr());
  return b;
}

}  // namespace fastmetrics
