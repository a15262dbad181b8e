// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of the operators on rows to what the loops are given; checks everything that they rely on.

#pragma once

#include <algorithm>

#include "common/view.h"
#include "passes/rows.h"

namespace fastmetrics {

// What of the target is a row: one element, a whole index of dimension 0, or dimension 1.
enum class RowOf { kElement, kSample, kLabels };

// preds: scores [N, C, ...], or scores or labels of the shape of target. weights: one a row.
inline RowsBatch rows_batch(const char* name, const View& preds, const View& target, const OptionalView& valid,
                            const OptionalView& weights, RowOf row, int64_t ignore_index, bool has_ignore_index) {
  RowsBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  const int64_t dims = target.dim(), more = preds.dim() - dims;
  const bool labels = row == RowOf::kLabels;
  require(is_label(b.target_type), name, ": target must be integers or bool");
  require(b.preds_type != DType::kOther, name, ": preds must be real");
  require(dims >= 1 + labels && dims < kMaxDims && (more == 0 || (more == 1 && !labels)), name,
          ": preds must be [N, C, ...] or have the shape of target");
  require(more == 0 || is_floating(b.preds_type), name, ": preds [N, C, ...] must be scores");
  check_per_sample(valid, target, DType::kBool, "valid must be bool, with the shape of target");
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.valid = valid.has_value() ? static_cast<const bool*>(valid->const_data_ptr()) : nullptr;
  b.scores = more ? preds.size(1) : 1;
  b.a_score = more ? preds.stride(1) : 0;
  b.ignore = ignore_index;
  b.has_ignore = has_ignore_index;
  b.inner = 1;
  int64_t of_weights = 0;
  for (int64_t d = 0; d < dims; ++d) {
    const int64_t of_preds = d == 0 ? 0 : d + more;
    require(preds.size(of_preds) == target.size(d), name, ": preds and target must have the same samples");
    const int64_t a = preds.stride(of_preds), t = target.stride(d), c = valid.has_value() ? valid->stride(d) : 0;
    const bool of_row = row == RowOf::kElement || (labels ? d != 1 : d == 0);
    if (!of_row) {
      b.places.push(target.size(d), a, t, c);
      continue;
    }
    int64_t w = 0;
    if (weights.has_value()) {
      require(of_weights < weights->dim() && weights->size(of_weights) == target.size(d), name,
              ": weights must be one a row");
      w = weights->stride(of_weights);
    }
    ++of_weights;
    b.rows.push(target.size(d), a, t, c, w);
    if (labels && d > 1) b.inner *= target.size(d);
  }
  if (weights.has_value()) {
    require(dtype_of(*weights) == DType::kDouble && weights->dim() == of_weights, name,
            ": weights must be float64, one a row");
  }
  b.weights = weights_data(weights);
  b.rows.collapse(0);
  b.places.collapse(0);
  return b;
}

// A state of `numel` sums: float64, or int64 of rows without weights if it counts.
inline Sum sum_of(const OptionalState& state, bool counts, const RowsBatch& b, int64_t numel, const char* what) {
  if (counts && b.weights == nullptr) return {state_data<int64_t>(state, DType::kInt64, numel, what), nullptr};
  return {nullptr, state_data<double>(state, DType::kDouble, numel, what)};
}

// Samples that are a score, or a row of class scores.
inline RowsBatch scored_batch(const char* name, const View& preds, const View& target, const OptionalView& valid,
                              const OptionalView& weights, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = rows_batch(name, preds, target, valid, weights, RowOf::kElement, ignore_index, has_ignore_index);
  require(is_floating(b.preds_type), name, ": preds must be scores");
  require(preds.dim() == target.dim() || (b.scores > 1 && b.scores <= INT32_MAX), name,
          ": multiclass scores need more than one class");
  return b;
}

inline HingeSums hinge_sums(const RowsBatch& b, const HingeOptions& options, const State& hinge, const State& count) {
  return {sum_of(hinge, false, b, options.one_vs_all ? b.scores : 1, "hinge, float64 [1] or [C]"),
          sum_of(count, true, b, 1, "count, []")};
}

inline LabelsOfElements labels_of_elements(const char* name, const View& target) {
  require(target.dim() > 1, name, ": multilabel targets must be [N, L, ...]");
  LabelsOfElements label{target.size(1), 1};
  for (int64_t d = 2; d < target.dim(); ++d) label.inner *= target.size(d);
  return label;
}

inline CalibrationOptions calibration_options(const View& preds, const View& target, const View& edges, bool columns,
                                              int64_t logits) {
  require(edges.dtype() == DType::kDouble && edges.dim() == 1 && edges.is_contiguous() && edges.numel() > 1 &&
              edges.numel() <= INT32_MAX / 16,
          "calibration_: edges must be float64 [B], contiguous");
  const bool multiclass = preds.dim() > target.dim();
  CalibrationOptions options{multiclass,
                             multiclass || preds.dtype() != DType::kDouble,
                             logits,
                             static_cast<const double*>(edges.const_data_ptr()),
                             edges.numel(),
                             0,
                             {}};
  if (columns) {
    if (!multiclass) options.label = labels_of_elements("calibration_", target);
    options.columns = preds.size(1);
  }
  return options;
}

// rows: of the states; 1 if they have none.
inline CalibrationSums calibration_sums(const RowsBatch& b, int64_t rows, const CalibrationOptions& options,
                                        const State& counts, const State& confidences, const State& hits) {
  const int64_t n = rows * std::max<int64_t>(options.columns, 1) * options.bins;
  return {sum_of(counts, true, b, n, "counts, [B] or [C, B] of each row"),
          sum_of(confidences, false, b, n, "confidences, float64 [B] or [C, B] of each row"),
          sum_of(hits, true, b, n, "hits, [B] or [C, B] of each row")};
}

inline ProperScoresOptions proper_scores_options(const View& preds, const View& target, int64_t logits, double epsilon,
                                                 bool multilabel) {
  ProperScoresOptions options{preds.dim() > target.dim(), logits, epsilon, {}};
  if (multilabel) options.label = labels_of_elements("proper_scores_", target);
  return options;
}

// rows: of the states; 1 if they have none.
inline ProperScoresSums proper_scores_sums(const RowsBatch& b, int64_t rows, const ProperScoresOptions& options,
                                           const OptionalState& brier, const OptionalState& log_loss,
                                           const State& count) {
  const int64_t n = rows * options.label.labels;
  return {sum_of(brier, false, b, n, "brier, float64 [1] or [L] of each row"),
          sum_of(log_loss, false, b, n, "log_loss, float64 [1] or [L] of each row"),
          sum_of(count, true, b, n, "count, [1] or [L] of each row")};
}

inline RowsBatch ranking_batch(const View& preds, const View& target, const OptionalView& valid,
                               const OptionalView& weights, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b =
      rows_batch("ranking_", preds, target, valid, weights, RowOf::kLabels, ignore_index, has_ignore_index);
  require(is_floating(b.preds_type), "ranking_: preds must be scores");
  require(target.size(1) <= INT32_MAX, "ranking_: too many labels");
  return b;
}

inline RankingSums ranking_sums(const RowsBatch& b, const OptionalState& coverage,
                                const OptionalState& average_precision, const OptionalState& ranking_loss,
                                const State& count) {
  return {sum_of(coverage, false, b, 1, "coverage, float64 []"),
          sum_of(average_precision, false, b, 1, "average_precision, float64 []"),
          sum_of(ranking_loss, false, b, 1, "ranking_loss, float64 []"), sum_of(count, true, b, 1, "count, []")};
}

inline RowsBatch exact_match_batch(const View& preds, const View& target, const OptionalView& valid,
                                   const OptionalView& weights, int64_t num_classes, int64_t ignore_index,
                                   bool has_ignore_index) {
  const RowsBatch b = rows_batch("exact_match_", preds, target, valid, weights,
                                 num_classes > 0 ? RowOf::kSample : RowOf::kLabels, ignore_index, has_ignore_index);
  require(num_classes >= 0 && num_classes <= INT32_MAX, "exact_match_: num_classes out of range");
  const bool scores = num_classes > 0 && is_floating(b.preds_type);
  require(preds.dim() == target.dim() + scores && (!scores || b.scores == num_classes),
          "exact_match_: preds must be scores [N, num_classes, ...] or have the shape of target");
  return b;
}

inline ExactMatchOptions exact_match_options(const View& target, const State& matched, int64_t num_classes,
                                             double probability_cutoff, double logit_cutoff) {
  const bool apart = matched.dim() > 0;
  return {num_classes, probability_cutoff, logit_cutoff, apart, apart ? target.size(0) : 1};
}

inline ExactMatchSums exact_match_sums(const RowsBatch& b, const ExactMatchOptions& options, const State& matched,
                                       const State& count) {
  return {sum_of(matched, true, b, options.groups, "matched, [] or [N]"),
          sum_of(count, true, b, options.groups, "count, [] or [N]")};
}

}  // namespace fastmetrics
