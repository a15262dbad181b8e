// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators that add samples to rows of their states to what the loops are given.

#pragma once

#include <algorithm>

#include "common/view.h"
#include "passes/sample_rows.h"
#include "passes/slicings.h"

namespace fastmetrics {

// data: integers or bool, of whose dimensions the samples have those from `first` on, but for `column`; count: of rows.
inline SampleRows rows_of_samples(const View& data, int64_t first, int64_t count, int64_t column = -1) {
  require(is_label(data.dtype()), "rows must be integers or bool");
  require(count >= 1 && count < INT32_MAX, "there must be from 1 to 2^31 rows");
  SampleRows r{data.const_data_ptr(), data.dtype(), 1, 0, {}, count, 0};
  for (int64_t d = first; d < data.dim(); ++d) {
    if (d - first != column) r.layout.push(data.size(d), data.stride(d), 0);
  }
  r.layout.collapse(0);
  return r;
}

// rows: integers or bool, [K, ...] for samples [...]; count: rows of the states.
inline SampleRows sample_rows(const View& rows, const View& samples, int64_t count, int64_t column = -1) {
  bool fits = rows.dim() == samples.dim() + 1 && samples.dim() < kMaxDims;
  for (int64_t d = 0; fits && d < samples.dim(); ++d) fits = rows.size(d + 1) == samples.size(d);
  require(fits, "rows must be [K, ...], with the shape of the samples");
  SampleRows r = rows_of_samples(rows, 1, count, column);
  r.slicings = rows.size(0);
  r.slicing_stride = rows.stride(0);
  return r;
}

// The same, and those of each column of the samples, which are a dimension of theirs; -1: they have none.
inline ColumnRows column_rows(const View& rows, const View& samples, int64_t count, int64_t column) {
  return {sample_rows(rows, samples, count, column), column < 0 ? 0 : rows.stride(column + 1)};
}

// of: what was made of `rows`, which are [1, ...] if there are others. others: groups [...], integers or bool, of more
// slicings; sizes: how many groups each slicing has.
inline Slicings slicings_of(const SampleRows& of, const View& rows, const OptionalViews& others,
                            const OptionalIntegers& sizes, int64_t column = -1) {
  Slicings s = slicings_of(of);
  if (others.has_value()) {
    require(sizes.has_value() && s.size() == 1 && sizes->count == others->count + 1,
            "groups of several slicings need those of one as rows, and a size of each");
    s.together = true;
    int64_t all = 0;
    for (size_t k = 0; k <= others->count; ++k) {
      const int64_t size = (*sizes)[k];
      require(size >= 1 && size <= of.count, "each slicing must have from 1 to as many groups as the states have rows");
      if (k == 0) {
        s.each[0].count = size;
      } else {
        const View& groups = (*others)[k - 1];
        bool fits = groups.dim() == rows.dim() - 1;
        for (int64_t d = 0; fits && d < groups.dim(); ++d) fits = groups.size(d) == rows.size(d + 1);
        require(fits, "groups must have the shape of the samples");
        s.each.push_back(rows_of_samples(groups, 0, size, column));
        s.first.push_back(static_cast<int32_t>(all));
      }
      all += size;
    }
    require(all == of.count, "the states must have a row for each group");
  }
  for (int64_t k = 0; column >= 0 && k < s.size(); ++k) {
    const bool other = others.has_value() && k > 0;
    s.a_column.push_back(other ? (*others)[k - 1].stride(column) : rows.stride(column + 1));
  }
  if (std::all_of(s.a_column.begin(), s.a_column.end(), [](int64_t step) { return step == 0; })) s.a_column.clear();
  return s;
}

// int64 [S], or null.
inline int64_t* samples_of_rows(const Slicings& rows, const OptionalView& weights, const OptionalState& samples) {
  require(!samples.has_value() || !weights.has_value(), "weighted samples are counted apart");
  return state_data<int64_t>(samples, DType::kInt64, rows.count, "samples, int64 [S]");
}

inline void require_counted_apart(const OptionalState& samples) {
  require(!samples.has_value(), "the samples of rows are counted apart");
}

// On a GPU.
inline void require_rows(const OptionalViews& others) {
  require(!others.has_value(), "groups of several slicings are placed among the rows of the states first");
}

// Samples that all have row 0 of a state, or with `apart` each index of dimension 0 a row of its own.
inline SampleRows rows_by_place(const View& samples, bool apart) {
  const int64_t count = apart ? samples.size(0) : 1;
  return {nullptr, DType::kOther, 1, 0, {}, count, std::max<int64_t>(1, samples.numel() / std::max<int64_t>(1, count))};
}

}  // namespace fastmetrics
