// SPDX-License-Identifier: Apache-2.0
//
// The operators for what scores decide, curves and areas: what is given is checked here and goes to loops that know no
// torch.

#include "common/cpu.h"
#include "common/operator.h"
#include "formulas/curves.h"
#include "passes/loops_cpu.h"
#include "passes/scores_arguments.h"

namespace fastmetrics {
namespace {

int64_t rows_of_states(const Slicings* rows) { return rows == nullptr ? 1 : rows->count; }

void add_histogram_of(const ScoresBatch& b, const Slicings* rows, const ScoreBins& bins, const State& histogram,
                      int64_t* members, const OptionalState& faults) {
  if (b.weights != nullptr) {
    double* to = score_histogram_data<double>(b, bins, histogram, rows_of_states(rows));
    add_score_histogram(b, rows, bins, to, faults_data(faults));
  } else {
    int64_t* to = score_histogram_data<int64_t>(b, bins, histogram, rows_of_states(rows));
    add_score_histogram(b, rows, bins, to, members, faults_data(faults));
  }
}

void score_histogram(View preds, View target, OptionalView valid, OptionalView weights, View cuts, View logit_cuts,
                     State histogram, OptionalState faults, bool uniform, bool in_columns, int64_t logits,
                     int64_t ignore_index, bool has_ignore_index, bool ignored_decide) {
  const ScoresBatch b = scores_batch("score_histogram_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  add_histogram_of(b, nullptr, score_bins(cuts, logit_cuts, uniform), histogram, nullptr, faults);
}

// rows: [K, ...], with the shape of target; histogram: [S, C, T + 1, 2].
void score_histogram_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, View cuts,
                          View logit_cuts, State histogram, OptionalState faults, bool uniform, bool in_columns,
                          int64_t logits, int64_t ignore_index, bool has_ignore_index, bool ignored_decide,
                          OptionalState samples, OptionalViews others, OptionalIntegers sizes) {
  const ScoresBatch b = scores_batch("score_histogram_rows_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  const Slicings r = score_slicings(b, rows, others, sizes, target, in_columns, histogram);
  add_histogram_of(b, &r, score_bins(cuts, logit_cuts, uniform), histogram, samples_of_rows(r, weights, samples),
                   faults);
}

void count_to(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, const State& counts, int64_t* members,
              const OptionalState& faults) {
  if (b.weights != nullptr) {
    count_scores(b, rows, keys, score_counts_data<double>(b, keys, counts, rows_of_states(rows)), faults_data(faults));
  } else {
    count_scores(b, rows, keys, score_counts_data<int64_t>(b, keys, counts, rows_of_states(rows)), members,
                 faults_data(faults));
  }
}

void count(View preds, View target, OptionalView valid, OptionalView weights, State counts, OptionalState faults,
           int64_t bits, bool in_columns, int64_t logits, int64_t ignore_index, bool has_ignore_index,
           bool ignored_decide) {
  const ScoresBatch b = scores_batch("count_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  count_to(b, nullptr, score_keys(b, bits, logits), counts, nullptr, faults);
}

// rows: [K, ...], with the shape of target; counts: [S, C, K, 2].
void count_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, State counts,
                OptionalState faults, int64_t bits, bool in_columns, int64_t logits, int64_t ignore_index,
                bool has_ignore_index, bool ignored_decide, OptionalState samples, OptionalViews others,
                OptionalIntegers sizes) {
  const ScoresBatch b = scores_batch("count_scores_rows_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  const Slicings r = score_slicings(b, rows, others, sizes, target, in_columns, counts);
  count_to(b, &r, score_keys(b, bits, logits), counts, samples_of_rows(r, weights, samples), faults);
}

void keep(View preds, View target, OptionalView valid, OptionalView weights, State scores, OptionalState labels,
          OptionalState faults, int64_t first, bool in_columns, int64_t logits, int64_t ignore_index,
          bool has_ignore_index, bool ignored_decide) {
  const ScoresBatch b = scores_batch("keep_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  const KeptRows rows = kept_rows(b, scores, labels, first);
  keep_scores(b, rows.scores, rows.labels, faults_data(faults));
}

// values, labels: [C, N]; counts: int64 [C, 2].
Curves curves_of(const View& values, const OptionalView& labels, const View& counts) {
  require(is_floating(values.dtype()) && values.dim() == 2 && values.is_contiguous(), "curves: values must be [C, N]");
  if (labels.has_value()) {
    require(labels->dtype() == DType::kUInt8 && labels->numel() == values.numel() && labels->is_contiguous(),
            "curves: labels must be uint8 [C, N]");
  }
  require(counts.dtype() == DType::kInt64 && counts.numel() == 2 * values.size(0) && counts.is_contiguous(),
          "curves: counts must be int64 [C, 2]");
  return {values.mutable_data_ptr(),
          values.dtype(),
          labels.has_value() ? static_cast<uint8_t*>(labels->mutable_data_ptr()) : nullptr,
          static_cast<int64_t*>(counts.mutable_data_ptr()),
          values.size(0),
          values.size(1)};
}

void keys_of_scores(View scores, State keys, State ends) {
  require(is_floating(scores.dtype()) && scores.dim() == 2 && scores.is_contiguous(),
          "score_keys_: scores must be [N, C]");
  const int64_t rows = scores.size(0), columns = scores.size(1), parts = columns == 0 ? 1 : ends.numel() / columns;
  const DType type = size_of(scores.dtype()) == 2   ? DType::kInt16
                     : size_of(scores.dtype()) == 4 ? DType::kInt32
                                                    : DType::kInt64;
  require(parts >= 1 && parts <= 256, "score_keys_: ends must be [C, parts], of 1 to 256 parts");
  score_keys(scores.const_data_ptr(), scores.dtype(), rows, columns, parts,
             state_data<char>(keys, type, rows * columns, "keys, integers of the size of a score, [C, N]"),
             state_data<int64_t>(ends, DType::kInt64, columns * parts, "ends, int64 [C, parts]"));
}

void sort_of_labelled(View scores, View labels, State values, State sorted_labels, State counts) {
  const Curves to = curves_of(values, OptionalView(sorted_labels), counts);
  require(scores.dtype() == to.type && scores.dim() == 2 && scores.is_contiguous() && scores.size(0) == to.rows &&
              scores.size(1) == to.columns,
          "sort_labelled_: scores must be [N, C]");
  require(to.rows < INT32_MAX, "sort_labelled_: at most 2^31 samples");
  require(labels.dtype() == DType::kInt8 && labels.numel() == scores.numel() && labels.is_contiguous(),
          "sort_labelled_: labels must be int8 [N, C]");
  sort_labelled(scores.const_data_ptr(), static_cast<const int8_t*>(labels.const_data_ptr()), to);
}

void walk_of_curves(View values, OptionalView labels, View counts, State blocks, State areas, bool keys) {
  const Curves curves = curves_of(values, labels, counts);
  require(curves.rows < INT32_MAX, "walk_scores_: at most 2^31 samples");
  walk_curves(curves, keys,
              state_data<int64_t>(blocks, DType::kInt64, 2 * curves.columns * (curves.blocks() + 1),
                                  "blocks, int64 [C, blocks + 1, 2]"),
              state_data<double>(areas, DType::kDouble, 3 * curves.columns, "areas, float64 [C, 3]"));
}

// Those, with what comes before each of their blocks: int64 [C, blocks + 1, 2].
Curves curves_of(const View& values, const OptionalView& labels, const View& counts, const View& before) {
  Curves curves = curves_of(values, labels, counts);
  require(before.dtype() == DType::kInt64 && before.numel() == 2 * curves.columns * (curves.blocks() + 1) &&
              before.is_contiguous(),
          "curves: blocks must be int64 [C, blocks + 1, 2]");
  curves.before = static_cast<const int64_t*>(before.const_data_ptr());
  return curves;
}

void precisions_of_curves(View values, OptionalView labels, View counts, View blocks, State sums) {
  const Curves curves = curves_of(values, labels, counts, blocks);
  sum_precisions(curves, state_data<double>(sums, DType::kDouble, curves.columns, "sums, float64 [C]"));
}

void points_of_curves(View values, OptionalView labels, View counts, View blocks, State thresholds, State tp,
                      State fp) {
  const Curves curves = curves_of(values, labels, counts, blocks);
  const int64_t points = curves.points();
  curve_points(curves, state_data<char>(thresholds, curves.type, points, "thresholds, [points]"),
               state_data<int64_t>(tp, DType::kInt64, points, "tp, int64 [points]"),
               state_data<int64_t>(fp, DType::kInt64, points, "fp, int64 [points]"));
}

void rates_of_curves(View values, OptionalView labels, View counts, View blocks, State fpr, State tpr,
                     State thresholds) {
  const Curves curves = curves_of(values, labels, counts, blocks);
  const int64_t n = curves.points() + curves.columns;
  roc_curves(curves, state_data<float>(fpr, DType::kFloat, n, "fpr, float32 [points + C]"),
             state_data<float>(tpr, DType::kFloat, n, "tpr, float32 [points + C]"),
             state_data<char>(thresholds, curves.type, n, "thresholds, [points + C]"));
}

void precision_recall_of_curves(View values, OptionalView labels, View counts, View blocks, State precision,
                                State recall, State thresholds, double absent) {
  const Curves curves = curves_of(values, labels, counts, blocks);
  const int64_t points = curves.points(), n = points + curves.columns;
  precision_recall_curves(curves, static_cast<float>(absent),
                          state_data<float>(precision, DType::kFloat, n, "precision, float32 [points + C]"),
                          state_data<float>(recall, DType::kFloat, n, "recall, float32 [points + C]"),
                          state_data<char>(thresholds, curves.type, points, "thresholds, [points]"));
}

void find_points_of_curves(View values, OptionalView labels, View counts, View blocks, State found, State thresholds,
                           int64_t search, double least) {
  const Curves curves = curves_of(values, labels, counts, blocks);
  require(search >= 0 && search <= static_cast<int64_t>(PointSearch::kPrecision), "find_points_: search must be known");
  find_points(curves, static_cast<PointSearch>(search), least,
              state_data<int64_t>(found, DType::kInt64, 2 * curves.columns, "found, int64 [C, 2]"),
              state_data<char>(thresholds, curves.type, curves.columns, "thresholds, [C]"));
}

void points_of_weighted(View scores, OptionalView labels, View weights, State thresholds, State tp, State fp,
                        State sizes, State sums) {
  require(is_floating(scores.dtype()) && scores.dim() == 2 && scores.is_contiguous(),
          "weighted_points_: scores must be [N, C]");
  const int64_t rows = scores.size(0), columns = scores.size(1), n = rows * columns;
  require(rows < INT32_MAX, "weighted_points_: at most 2^31 samples");
  require(weights.dim() == 2 && (weights.size(1) == 1 || weights.size(1) == columns),
          "weighted_points_: weights must be [N, 1] or [N, C]");
  WeightedScores of{scores.const_data_ptr(), scores.dtype(), nullptr, nullptr, columns, rows, weights.size(1)};
  if (labels.has_value()) {
    of.labels = in_line<int8_t>(*labels, DType::kInt8, n, "weighted_points_: labels must be int8 [N, C]");
  }
  of.weights = in_line<double>(weights, DType::kDouble, rows * of.weight_columns,
                               "weighted_points_: weights must be float64, as many as scores");
  weighted_points(of, {state_data<char>(thresholds, scores.dtype(), n, "thresholds, [C, N]"),
                       state_data<double>(tp, DType::kDouble, n, "tp, float64 [C, N]"),
                       state_data<double>(fp, DType::kDouble, n, "fp, float64 [C, N]"),
                       state_data<int64_t>(sizes, DType::kInt64, columns, "sizes, int64 [C]"),
                       state_data<double>(sums, DType::kDouble, 4 * columns, "sums, float64 [C, 4]")});
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("score_histogram_", &fastmetrics::score_histogram)
FM_CPU_OPERATOR("score_histogram_rows_", &fastmetrics::score_histogram_rows)
FM_CPU_OPERATOR("count_scores_", &fastmetrics::count)
FM_CPU_OPERATOR("count_scores_rows_", &fastmetrics::count_rows)
FM_CPU_OPERATOR("keep_scores_", &fastmetrics::keep)
FM_CPU_OPERATOR("score_keys_", &fastmetrics::keys_of_scores)
FM_CPU_OPERATOR("sort_labelled_", &fastmetrics::sort_of_labelled)
FM_CPU_OPERATOR("walk_scores_", &fastmetrics::walk_of_curves)
FM_CPU_OPERATOR("sum_precisions_", &fastmetrics::precisions_of_curves)
FM_CPU_OPERATOR("curve_points_", &fastmetrics::points_of_curves)
FM_CPU_OPERATOR("roc_curves_", &fastmetrics::rates_of_curves)
FM_CPU_OPERATOR("precision_recall_curves_", &fastmetrics::precision_recall_of_curves)
FM_CPU_OPERATOR("find_points_", &fastmetrics::find_points_of_curves)
FM_CPU_OPERATOR("weighted_points_", &fastmetrics::points_of_weighted)
