// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators that add samples to rows of their states to what the loops are given.

#pragma once

#include <algorithm>

#include "common/view.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

// rows: integers or bool, [K, ...] for samples [...]; count: rows of the states.
inline SampleRows sample_rows(const View& rows, const View& samples, int64_t count) {
  require(is_label(rows.dtype()), "rows must be integers or bool");
  require(count >= 1 && count < INT32_MAX, "the states must have from 1 to 2^31 rows");
  bool fits = rows.dim() == samples.dim() + 1 && samples.dim() < kMaxDims;
  for (int64_t d = 0; fits && d < samples.dim(); ++d) fits = rows.size(d + 1) == samples.size(d);
  require(fits, "rows must be [K, ...], with the shape of the samples");
  SampleRows r{rows.const_data_ptr(), rows.dtype(), rows.size(0), rows.stride(0), {}, count, 0};
  for (int64_t d = 0; d < samples.dim(); ++d) r.layout.push(samples.size(d), rows.stride(d + 1), 0);
  r.layout.collapse(0);
  return r;
}

// Samples that all have row 0 of a state, or with `apart` each index of dimension 0 a row of its own.
inline SampleRows rows_by_place(const View& samples, bool apart) {
  const int64_t count = apart ? samples.size(0) : 1;
  return {nullptr, DType::kOther, 1, 0, {}, count, std::max<int64_t>(1, samples.numel() / std::max<int64_t>(1, count))};
}

}  // namespace fastmetrics
