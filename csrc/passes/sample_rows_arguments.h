// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators that add samples to rows of their states to what the loops are given.

#pragma once

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
  SampleRows r{rows.const_data_ptr(), rows.dtype(), rows.size(0), rows.stride(0), {}, count};
  for (int64_t d = 0; d < samples.dim(); ++d) r.layout.push(samples.size(d), rows.stride(d + 1), 0);
  r.layout.collapse(0);
  return r;
}

}  // namespace fastmetrics
