// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators that add samples to rows of their states to what the loops are given.

#pragma once

#include <algorithm>
#include <vector>

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

// groups: integers or bool [...], of each slicing, for samples [...]; sizes: int64 [K]; count: rows of the states.
inline std::vector<SampleRows> groups_by_slicing(const Views& groups, const View& sizes, const View& samples,
                                                 int64_t count) {
  const auto* size =
      in_line<int64_t>(sizes, DType::kInt64, static_cast<int64_t>(groups.count), "sizes must be int64 [K]");
  std::vector<SampleRows> found;
  int64_t all = 0;
  for (size_t k = 0; k < groups.count; ++k) {
    const View& of = groups[k];
    require(is_label(of.dtype()), "groups must be integers or bool");
    bool fits = of.dim() == samples.dim() && samples.dim() < kMaxDims && size[k] >= 1 && size[k] < INT32_MAX;
    for (int64_t d = 0; fits && d < samples.dim(); ++d) fits = of.size(d) == samples.size(d);
    require(fits, "groups must have the shape of the samples, and sizes be at least 1");
    SampleRows r{of.const_data_ptr(), of.dtype(), 1, 0, {}, size[k], 0};
    for (int64_t d = 0; d < samples.dim(); ++d) r.layout.push(samples.size(d), of.stride(d), 0);
    r.layout.collapse(0);
    found.push_back(r);
    all += size[k];
  }
  require(all == count && count >= 1 && count < INT32_MAX, "the states must have a row for each group");
  return found;
}

// Samples that all have row 0 of a state, or with `apart` each index of dimension 0 a row of its own.
inline SampleRows rows_by_place(const View& samples, bool apart) {
  const int64_t count = apart ? samples.size(0) : 1;
  return {nullptr, DType::kOther, 1, 0, {}, count, std::max<int64_t>(1, samples.numel() / std::max<int64_t>(1, count))};
}

}  // namespace fastmetrics
