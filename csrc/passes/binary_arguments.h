// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/binary.h"
#include "passes/sample_rows_arguments.h"

namespace fastmetrics {

// Where the elements are added: counts [L, 4], or a row of [S, L, 4] for each index of dimension 0, or those of `rows`,
// integers or bool [K, ...] with the shape of target.
inline BinaryRows binary_rows(const OptionalView& rows, const View& target, const State& counts) {
  require(counts.dim() == 3 || (counts.dim() == 2 && !rows.has_value()), "binary_: counts must be [L, 4] or [S, L, 4]");
  const int64_t labels = counts.size(counts.dim() - 2);
  require(labels == 1 || (target.dim() > 1 && target.size(1) == labels), "binary_: target must be [N, L, ...]");
  BinaryRows r{{}, labels, 1};
  for (int64_t d = 2; d < target.dim(); ++d) r.inner *= target.size(d);
  if (rows.has_value()) {
    r.of = sample_rows(*rows, target, counts.size(0));
    require(r.of.count < INT32_MAX / kCells / std::max<int64_t>(1, labels),
            "binary_: there may be up to 2^28 rows and labels");
  } else {
    r.of = rows_by_place(target, counts.dim() == 3);
  }
  return r;
}

// Whether elements go to cells, each by itself; else the label is a dimension apart and runs of elements are counted.
inline bool in_cells(const OptionalView& weights, const OptionalView& rows) {
  return weights.has_value() || rows.has_value();
}

// preds, target, valid and weights [N, ...] or [N, L, ...].
inline BinaryBatch binary_batch(const View& preds, const View& target, const OptionalView& valid,
                                const OptionalView& weights, const BinaryRows& rows, bool cells,
                                double probability_cutoff, double logit_cutoff, int64_t ignore_index,
                                bool has_ignore_index, bool ignored_decide) {
  BinaryBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  const int64_t dims = target.dim();
  require(is_label(b.target_type), "binary_: target must be integers or bool");
  require(b.preds_type != DType::kOther, "binary_: preds must be real scores, integers or bool");
  require(dims >= 1 && dims < kMaxDims && preds.dim() == dims, "binary_: preds and target must have the same shape");
  check_per_sample(valid, target, DType::kBool, "binary_: valid must be bool, with the shape of target");
  check_per_sample(weights, target, DType::kDouble, "binary_: weights must be float64, with the shape of target");
  b.valid = valid.has_value() ? static_cast<const bool*>(valid->const_data_ptr()) : nullptr;
  b.weights = weights_data(weights);
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.probability = probability_cutoff;
  b.logit = logit_cutoff;
  b.ignore = ignore_index;
  b.has_ignore = has_ignore_index;
  b.ignored_decide = ignored_decide;
  b.labels = cells ? 1 : rows.labels;
  b.groups = cells ? 1 : rows.of.count;
  b.per_sample = 1;
  for (int64_t d = 0; d < dims; ++d) {
    require(preds.size(d) == target.size(d), "binary_: preds and target must have the same shape");
    const int64_t c = valid.has_value() ? valid->stride(d) : 0, w = weights.has_value() ? weights->stride(d) : 0;
    if (b.labels != 1 && d == 1) {
      b.a_label = preds.stride(1);
      b.b_label = target.stride(1);
      b.c_label = c;
      b.d_label = w;
      continue;
    }
    b.samples.push(target.size(d), preds.stride(d), target.stride(d), c, w);
    if (d > 0) b.per_sample *= target.size(d);
  }
  b.samples.collapse(b.groups > 1 ? 1 : 0);
  return b;
}

template <typename Cell>
inline Cell* binary_counts(const BinaryRows& rows, const State& counts) {
  constexpr DType kType = std::is_same<Cell, double>::value ? DType::kDouble : DType::kInt64;
  return state_data<Cell>(counts, kType, rows.count() * 4, "counts, [L, 4] or [S, L, 4]");
}

// int64 [S], or null.
inline int64_t* binary_samples(const BinaryRows& rows, const OptionalView& weights, const OptionalState& samples) {
  require(!samples.has_value() || !weights.has_value(), "binary_: weighted samples are counted apart");
  return state_data<int64_t>(samples, DType::kInt64, rows.of.count, "samples, int64 [S]");
}

}  // namespace fastmetrics
