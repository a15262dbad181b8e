// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operator to what the loops are given; checks everything that they rely on.

#pragma once

#include "common/view.h"
#include "passes/multiclass.h"
#include "passes/sample_rows_arguments.h"

namespace fastmetrics {

// Where samples are added: states of their own shape, or with a row for each index of dimension 0, or those of `rows`,
// integers or bool [K, ...] with the shape of target.
inline SampleRows multiclass_rows(const OptionalView& rows, const View& target, const OptionalState& confusion,
                                  const OptionalState& counts, const OptionalState& ranks,
                                  const OptionalState& rank_histogram) {
  const bool apart = (counts.has_value() && counts->dim() == 3) || (ranks.has_value() && ranks->dim() == 4);
  if (!rows.has_value()) {
    require(!apart || (!confusion.has_value() && !rank_histogram.has_value()),
            "multiclass_: confusion and rank_histogram do not keep samples apart");
    return rows_by_place(target, apart);
  }
  int64_t count = 0;
  for (const OptionalState* state : {&confusion, &counts, &ranks, &rank_histogram}) {
    if (state->has_value() && (*state)->dim() > 0) count = (*state)->size(0);
  }
  return sample_rows(*rows, target, count);
}

// preds [N, C, ...] or [N, ...]; target, valid and weights [N, ...].
inline MulticlassBatch multiclass_batch(const View& preds, const View& target, const OptionalView& valid,
                                        const OptionalView& weights, const SampleRows& rows, int64_t num_classes,
                                        int64_t ignore_index, bool has_ignore_index) {
  MulticlassBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  b.scores = is_floating(b.preds_type);
  const int64_t dims = target.dim();
  require(is_label(b.target_type), "multiclass_: target must be integers or bool");
  require(b.scores || is_label(b.preds_type), "multiclass_: preds must be real scores, integers or bool");
  require(dims >= 1 && dims < kMaxDims && preds.dim() == dims + b.scores,
          "multiclass_: preds must be [N, C, ...] or have the shape of target");
  require(num_classes >= 1 && num_classes <= INT32_MAX, "multiclass_: num_classes out of range");
  require(!b.scores || preds.size(1) == num_classes, "multiclass_: preds must have num_classes scores a sample");
  check_per_sample(valid, target, DType::kBool, "multiclass_: valid must be bool, with the shape of target");
  check_per_sample(weights, target, DType::kDouble, "multiclass_: weights must be float64, with the shape of target");
  b.valid = valid.has_value() ? static_cast<const bool*>(valid->const_data_ptr()) : nullptr;
  b.weights = weights_data(weights);
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.classes = num_classes;
  b.class_stride = b.scores ? preds.stride(1) : 0;
  b.ignore = ignore_index;
  b.has_ignore = has_ignore_index;
  b.per_sample = 1;
  for (int64_t d = 0; d < dims; ++d) {
    const int64_t of_preds = d == 0 ? 0 : d + b.scores;
    require(preds.size(of_preds) == target.size(d), "multiclass_: preds and target have different samples");
    b.layout.push(target.size(d), preds.stride(of_preds), target.stride(d), valid.has_value() ? valid->stride(d) : 0,
                  weights.has_value() ? weights->stride(d) : 0);
    if (d > 0) b.per_sample *= target.size(d);
  }
  b.samplewise = rows.data == nullptr && rows.count > 1;
  b.layout.collapse(b.samplewise ? 1 : 0);
  return b;
}

template <typename Cell>
inline MulticlassCells<Cell> multiclass_states(const MulticlassBatch& b, const SampleRows& rows,
                                               const OptionalState& confusion, const OptionalState& counts,
                                               const OptionalState& ranks, const OptionalState& rank_histogram,
                                               const OptionalState& faults) {
  constexpr DType kType = std::is_same<Cell, double>::value ? DType::kDouble : DType::kInt64;
  const int64_t c = b.classes, cells = rows.count * c;
  require((!ranks.has_value() && !rank_histogram.has_value()) || b.scores, "multiclass_: ranks need scores");
  MulticlassCells<Cell> s{};
  s.k = ranks.has_value() && ranks->dim() >= 3 ? ranks->size(ranks->dim() - 2) : 0;
  s.confusion = state_data<Cell>(confusion, kType, cells * c, "confusion, [C, C] or [S, C, C]");
  const bool totals = counts.has_value() && c > 1 && counts->dim() >= 2 && counts->size(counts->dim() - 2) == 1;
  if (totals) {
    require(!confusion.has_value() && !ranks.has_value() && !rank_histogram.has_value() && !b.samplewise,
            "multiclass_: sums of the counts over all classes are counted alone, and of all samples");
    s.totals = state_data<Cell>(counts, kType, rows.count * 3, "counts, [1, 3] or [S, 1, 3]");
  } else {
    s.counts = state_data<Cell>(counts, kType, cells * 3, "counts, [C, 3] or [S, C, 3]");
  }
  s.ranks = state_data<Cell>(ranks, kType, cells * s.k * 2, "ranks, [C, K, 2] or [S, C, K, 2]");
  s.rank_histogram = state_data<Cell>(rank_histogram, kType, cells, "rank_histogram, [C] or [S, C]");
  s.faults = faults_data(faults);
  return s;
}

// int64 [S], or null.
inline int64_t* multiclass_samples(const SampleRows& rows, const OptionalView& weights, const OptionalState& samples) {
  require(!samples.has_value() || !weights.has_value(), "multiclass_: weighted samples are counted apart");
  return state_data<int64_t>(samples, DType::kInt64, rows.count, "samples, int64 [S]");
}

}  // namespace fastmetrics
