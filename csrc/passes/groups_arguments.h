// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators on groups of samples to what the loops are given; checks everything that they
// rely on.

#pragma once

#include "common/view.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

struct Groups {
  SampleRows of;  // their rows, or the groups of one slicing
  GroupsMask mask;
};

// data: integers or bool, of whose dimensions the samples have those from `first` on; valid: of the samples.
inline Groups groups_of(const char* name, const View& data, int64_t first, const OptionalView& valid, int64_t count) {
  const int64_t dims = data.dim() - first;
  require(is_label(data.dtype()), name, ": groups must be integers or bool");
  require(dims >= 0 && dims < kMaxDims, name, ": groups have too few dimensions, or too many");
  Groups g{{data.const_data_ptr(), data.dtype(), 1, 0, {}, count, 0}, {nullptr, {}}};
  if (first > 0) {
    g.of.slicings = data.size(0);
    g.of.slicing_stride = data.stride(0);
  }
  if (valid.has_value()) {
    require(valid->dtype() == DType::kBool && valid->dim() == dims, name, ": valid must be bool, one of each sample");
    g.mask.valid = static_cast<const bool*>(valid->const_data_ptr());
  }
  for (int64_t d = 0; d < dims; ++d) {
    g.of.layout.push(data.size(first + d), data.stride(first + d), 0);
    if (!valid.has_value()) continue;
    require(valid->size(d) == data.size(first + d), name, ": valid must be bool, one of each sample");
    g.mask.layout.push(valid->size(d), valid->stride(d), 0);
  }
  g.of.layout.collapse(0);
  g.mask.layout.collapse(0);
  return g;
}

// rows: [K, ...]; counts: [S].
inline Groups groups_to_count(const View& rows, const OptionalView& valid, const View& counts) {
  require(rows.dim() > 0, "count_groups_: rows must be [K, ...]");
  require(counts.dim() == 1 && counts.size(0) >= 1 && counts.size(0) < INT32_MAX, "count_groups_: counts must be [S]");
  return groups_of("count_groups_", rows, 1, valid, counts.size(0));
}

// T: int64_t or double, which is that of the state.
template <typename T>
inline T* group_counts(const Groups& g, const State& counts) {
  const DType type = std::is_same<T, double>::value ? DType::kDouble : DType::kInt64;
  return state_data<T>(counts, type, g.of.count, "counts, int64 or float64 [S]");
}

// rows: [K, ...] for groups [...].
inline Groups groups_to_place(const View& groups, const OptionalView& valid, const View& rows, int64_t slicing,
                              int64_t start, int64_t size) {
  require(rows.dim() == groups.dim() + 1, "place_groups_: rows must be [K, ...]");
  require(slicing >= 0 && slicing < rows.size(0), "place_groups_: there is no such slicing");
  require(start >= 0 && size >= 0 && start + size < INT32_MAX, "place_groups_: there may be up to 2^31 rows");
  return groups_of("place_groups_", groups, 0, valid, size);
}

inline int32_t* placed_rows(const View& groups, const State& rows) {
  return state_data<int32_t>(rows, DType::kInt32, rows.size(0) * groups.numel(), "rows, int32 [K, ...], contiguous");
}

}  // namespace fastmetrics
