// SPDX-License-Identifier: Apache-2.0
//
// From the arguments of score_histogram_ and keep_scores_ to what the loops are given; checks everything that they rely
// on.

#pragma once

#include "common/view.h"
#include "passes/sample_rows_arguments.h"
#include "passes/scores.h"

namespace fastmetrics {

// preds: scores [N, ...], or [N, C, ...] in columns. target: classes [N, ...], or 0 and 1 in the shape of preds.
inline ScoresBatch scores_batch(const char* name, const View& preds, const View& target, const OptionalView& valid,
                                const OptionalView& weights, bool in_columns, int64_t logits, int64_t ignore_index,
                                bool has_ignore_index, bool ignored_decide) {
  ScoresBatch b{};
  b.preds_type = dtype_of(preds);
  b.target_type = dtype_of(target);
  const int64_t dims = preds.dim();
  b.multiclass = dims == target.dim() + 1;
  require(is_label(b.target_type), name, ": target must be integers or bool");
  require(is_floating(b.preds_type), name, ": preds must be scores");
  require(dims >= 1 + in_columns && dims <= kMaxDims && (b.multiclass || dims == target.dim()) &&
              (in_columns || !b.multiclass),
          name, ": preds must be [N, C, ...] or have the shape of target");
  require(logits >= kEither && logits <= kLogits, name, ": logits must be -1, 0 or 1");
  check_per_sample(valid, target, DType::kBool, "valid must be bool, with the shape of target");
  check_per_sample(weights, target, DType::kDouble, "weights must be float64, with the shape of target");
  b.preds = preds.const_data_ptr();
  b.target = target.const_data_ptr();
  b.valid = valid.has_value() ? static_cast<const bool*>(valid->const_data_ptr()) : nullptr;
  b.weights = weights_data(weights);
  b.columns = b.inner = 1;
  for (int64_t d = 0, t = 0; d < dims; ++d) {
    const bool of_column = in_columns && d == 1, of_target = !(of_column && b.multiclass);
    int64_t of_b = 0, of_c = 0, of_d = 0;
    if (of_target) {
      require(preds.size(d) == target.size(t), name, ": preds and target must have the same samples");
      of_b = target.stride(t);
      if (valid.has_value()) of_c = valid->stride(t);
      if (weights.has_value()) of_d = weights->stride(t);
      ++t;
    }
    if (of_column) {
      b.columns = preds.size(1);
      b.a_column = preds.stride(1);
      b.b_column = of_b;
      b.c_column = of_c;
      b.d_column = of_d;
    } else {
      b.rows.push(preds.size(d), preds.stride(d), of_b, of_c, of_d);
      if (in_columns && d > 1) b.inner *= preds.size(d);
    }
  }
  require(b.columns <= INT32_MAX, name, ": too many columns");
  b.rows.collapse(0);
  b.ignore = ignore_index;
  b.has_ignore = has_ignore_index;
  b.ignored_decide = ignored_decide;
  b.logits = logits;
  return b;
}

// The dimension of the target that labels are; -1 if it has none.
inline int64_t column_of_labels(const ScoresBatch& b, bool in_columns) { return in_columns && !b.multiclass ? 1 : -1; }

// The rows of samples, or of the elements of labels. rows: [K, ...], with the shape of target.
inline ColumnRows score_rows(const ScoresBatch& b, const View& rows, const View& target, bool in_columns,
                             const View& histogram) {
  require(histogram.dim() >= 1, "histograms of rows must be [S, ...]");
  return column_rows(rows, target, histogram.size(0), column_of_labels(b, in_columns));
}

// The same with more slicings. others: [...].
inline Slicings score_slicings(const ScoresBatch& b, const View& rows, const OptionalViews& others,
                               const OptionalIntegers& sizes, const View& target, bool in_columns,
                               const View& histogram) {
  const ColumnRows r = score_rows(b, rows, target, in_columns, histogram);
  return slicings_of(r.of_first, rows, others, sizes, column_of_labels(b, in_columns));
}

inline ScoreBins score_bins(const View& cuts, const View& logit_cuts, bool uniform) {
  const int64_t number = cuts.numel();
  require(cuts.dtype() == DType::kDouble && cuts.is_contiguous() && logit_cuts.dtype() == DType::kDouble &&
              logit_cuts.is_contiguous() && logit_cuts.numel() == number && number > 0 && number < (1 << 29),
          "score_histogram_: cuts must be float64 [T]");
  return {static_cast<const double*>(cuts.const_data_ptr()), static_cast<const double*>(logit_cuts.const_data_ptr()),
          number, uniform && number > 1 && number <= (1 << 20)};
}

template <typename State>
State* score_histogram_data(const ScoresBatch& b, const ScoreBins& bins, const OptionalState& histogram,
                            int64_t rows = 1) {
  constexpr DType kType = std::is_same<State, double>::value ? DType::kDouble : DType::kInt64;
  return state_data<State>(histogram, kType, rows * b.columns * (bins.number + 1) * 2,
                           "histogram, [C, T + 1, 2] of each row");
}

inline ScoreKeys score_keys(const ScoresBatch& b, int64_t bits, int64_t logits) {
  const bool of_16_bits = b.preds_type == DType::kHalf || b.preds_type == DType::kBFloat16;
  require((bits >= 6 && bits <= 24) || (bits == 0 && of_16_bits), "count_scores_: bits must be 6 to 24, 0 for 16 bits");
  require(b.preds_type != DType::kDouble, "count_scores_: preds must be at most float32");
  return {static_cast<int>(bits), logits == kProbabilities};
}

// Where the rows of a batch are kept, [samples, columns]; no labels if scores have them as signs.
struct KeptRows {
  void* scores;
  int8_t* labels;
};

// first: the first row of `scores` and `labels` that is written; there may be more behind the last one.
inline KeptRows kept_rows(const ScoresBatch& b, const OptionalState& scores, const OptionalState& labels,
                          int64_t first) {
  require(first >= 0, "keep_scores_: first must be at least 0");
  require(labels.has_value() || b.logits != kProbabilities, "keep_scores_: scores of any sign need labels");
  const int64_t before = first * b.columns, least = before + b.columns * b.rows.samples();
  const int64_t numel = scores.has_value() ? std::max(least, scores->numel()) : least;
  char* to = state_data<char>(scores, b.preds_type, numel, "scores, [first + N, C] or more rows");
  int8_t* labels_to = state_data<int8_t>(labels, DType::kInt8, numel, "labels, int8 of the shape of scores");
  return {to + before * size_of(b.preds_type), labels_to == nullptr ? nullptr : labels_to + before};
}

template <typename State>
State* score_counts_data(const ScoresBatch& b, const ScoreKeys& keys, const OptionalState& counts, int64_t rows = 1) {
  constexpr DType kType = std::is_same<State, double>::value ? DType::kDouble : DType::kInt64;
  return state_data<State>(counts, kType, rows * b.columns * keys.number() * 2, "counts, [C, K, 2] of each row");
}

}  // namespace fastmetrics
