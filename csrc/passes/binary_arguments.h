// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/binary.h"

namespace fastmetrics {

// preds, target, valid and weights [N, ...] or [N, L, ...]; counts [L, 4] or [N, L, 4].
inline BinaryBatch binary_batch(const View& preds, const View& target, const OptionalView& valid,
                                const OptionalView& weights, const State& counts, double probability_cutoff,
                                double logit_cutoff, int64_t ignore_index, bool has_ignore_index, bool multilabel,
                                bool ignored_decide) {
  BinaryBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  const int64_t dims = target.dim();
  require(is_label(b.target_type), "binary_: target must be integers or bool");
  require(b.preds_type != DType::kOther, "binary_: preds must be real scores, integers or bool");
  require(dims >= 1 + multilabel && dims < kMaxDims && preds.dim() == dims,
          "binary_: preds and target must have the same shape, [N, ...] or [N, L, ...]");
  check_per_sample(valid, target, DType::kBool, "binary_: valid must be bool, with the shape of target");
  check_per_sample(weights, target, DType::kDouble, "binary_: weights must be float64, with the shape of target");
  b.valid = valid.has_value() ? static_cast<const bool*>(valid->const_data_ptr()) : nullptr;
  b.weights = weights.has_value() ? static_cast<const double*>(weights->const_data_ptr()) : nullptr;
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.probability = probability_cutoff;
  b.logit = logit_cutoff;
  b.ignore = ignore_index;
  b.has_ignore = has_ignore_index;
  b.ignored_decide = ignored_decide;
  b.labels = 1;
  b.per_sample = 1;
  for (int64_t d = 0; d < dims; ++d) {
    require(preds.size(d) == target.size(d), "binary_: preds and target must have the same shape");
    const int64_t c = valid.has_value() ? valid->stride(d) : 0, w = weights.has_value() ? weights->stride(d) : 0;
    if (multilabel && d == 1) {
      b.labels = target.size(1);
      b.a_label = preds.stride(1);
      b.b_label = target.stride(1);
      b.c_label = c;
      b.d_label = w;
      continue;
    }
    b.samples.push(target.size(d), preds.stride(d), target.stride(d), c, w);
    if (d > 0) b.per_sample *= target.size(d);
  }
  b.samplewise = counts.dim() == 3;
  b.groups = b.samplewise ? target.size(0) : 1;
  b.samples.collapse(b.samplewise ? 1 : 0);
  return b;
}

template <typename Cell>
inline Cell* binary_counts(const BinaryBatch& b, const State& counts) {
  constexpr DType kType = std::is_same<Cell, double>::value ? DType::kDouble : DType::kInt64;
  return state_data<Cell>(counts, kType, b.groups * b.labels * 4, "counts, [L, 4] or [N, L, 4]");
}

// groups: integers or bool, with the shape of target; counts [G, 4].
inline BinaryGroups binary_groups(const View& groups, const View& target, const State& counts) {
  require(counts.dim() == 2 && counts.size(0) < INT32_MAX / kCells, "binary_groups_: counts must be [G, 4]");
  require(is_label(groups.dtype()), "binary_groups_: groups must be integers or bool");
  check_per_sample(groups, target, groups.dtype(), "binary_groups_: groups must have the shape of target");
  BinaryGroups g{groups.const_data_ptr(), groups.dtype(), {}, counts.size(0)};
  for (int64_t d = 0; d < target.dim(); ++d) g.layout.push(groups.size(d), groups.stride(d), 0);
  g.layout.collapse(0);
  return g;
}

template <typename Cell>
inline Cell* binary_groups_counts(const BinaryGroups& groups, const State& counts) {
  constexpr DType kType = std::is_same<Cell, double>::value ? DType::kDouble : DType::kInt64;
  return state_data<Cell>(counts, kType, groups.count * 4, "counts, [G, 4]");
}

}  // namespace fastmetrics
