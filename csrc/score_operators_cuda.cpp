// SPDX-License-Identifier: Apache-2.0
//
// The operators of what scores decide, on a GPU: what is given is checked here and goes to launches that know no
// torch.

#include "common/operator_cuda.h"
#include "passes/scores_arguments.h"
#include "passes/scores_cuda.h"

namespace fastmetrics {
namespace {

template <typename Cell>
void add_batch(const char* name, const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins, Cell* histogram,
               const OptionalState& faults) {
  int64_t* const of_faults = faults_data(faults);
  with_scratch(name, score_histogram_scratch(b, rows, bins), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_score_histogram(b, rows, bins, histogram, of_faults, scratch, stream);
  });
}

void add_histogram(const char* name, const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins,
                   const State& histogram, const OptionalState& faults) {
  if (b.weights != nullptr) {
    add_batch(name, b, rows, bins, score_histogram_data<double>(b, bins, histogram, states_of(rows)), faults);
  } else {
    add_batch(name, b, rows, bins, score_histogram_data<int64_t>(b, bins, histogram, states_of(rows)), faults);
  }
}

void score_histogram(View preds, View target, OptionalView valid, OptionalView weights, View cuts, View logit_cuts,
                     State histogram, OptionalState faults, bool uniform, bool in_columns, int64_t logits,
                     int64_t ignore_index, bool has_ignore_index, bool ignored_decide) {
  const ScoresBatch b = scores_batch("score_histogram_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  add_histogram("score_histogram_", b, nullptr, score_bins(cuts, logit_cuts, uniform), histogram, faults);
}

// rows: [K, ...], with the shape of target; histogram: [S, C, T + 1, 2].
void score_histogram_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, View cuts,
                          View logit_cuts, State histogram, OptionalState faults, bool uniform, bool in_columns,
                          int64_t logits, int64_t ignore_index, bool has_ignore_index, bool ignored_decide,
                          OptionalState samples, OptionalViews others, OptionalIntegers) {
  require_rows(others);
  require_counted_apart(samples);
  const ScoresBatch b = scores_batch("score_histogram_rows_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  const ColumnRows r = score_rows(b, rows, target, in_columns, histogram);
  add_histogram("score_histogram_rows_", b, &r, score_bins(cuts, logit_cuts, uniform), histogram, faults);
}

template <typename Cell>
void count_batch(const char* name, const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys, Cell* counts,
                 const OptionalState& faults) {
  int64_t* const of_faults = faults_data(faults);
  with_scratch(name, count_scores_scratch(b, rows, keys), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_count_scores(b, rows, keys, counts, of_faults, scratch, stream);
  });
}

void count_to(const char* name, const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys,
              const State& counts, const OptionalState& faults) {
  if (b.weights != nullptr) {
    count_batch(name, b, rows, keys, score_counts_data<double>(b, keys, counts, states_of(rows)), faults);
  } else {
    count_batch(name, b, rows, keys, score_counts_data<int64_t>(b, keys, counts, states_of(rows)), faults);
  }
}

void count_scores(View preds, View target, OptionalView valid, OptionalView weights, State counts, OptionalState faults,
                  int64_t bits, bool in_columns, int64_t logits, int64_t ignore_index, bool has_ignore_index,
                  bool ignored_decide) {
  const ScoresBatch b = scores_batch("count_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  count_to("count_scores_", b, nullptr, score_keys(b, bits, logits), counts, faults);
}

// rows: [K, ...], with the shape of target; counts: [S, C, K, 2].
void count_scores_rows(View preds, View target, View rows, OptionalView valid, OptionalView weights, State counts,
                       OptionalState faults, int64_t bits, bool in_columns, int64_t logits, int64_t ignore_index,
                       bool has_ignore_index, bool ignored_decide, OptionalState samples, OptionalViews others,
                       OptionalIntegers) {
  require_rows(others);
  require_counted_apart(samples);
  const ScoresBatch b = scores_batch("count_scores_rows_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  const ColumnRows r = score_rows(b, rows, target, in_columns, counts);
  count_to("count_scores_rows_", b, &r, score_keys(b, bits, logits), counts, faults);
}

void keep_scores(View preds, View target, OptionalView valid, OptionalView weights, State scores, OptionalState labels,
                 OptionalState faults, int64_t first, bool in_columns, int64_t logits, int64_t ignore_index,
                 bool has_ignore_index, bool ignored_decide) {
  const ScoresBatch b = scores_batch("keep_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  const KeptRows rows = kept_rows(b, scores, labels, first);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("keep_scores_", keep_scores_scratch(b), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_keep_scores(b, rows.scores, rows.labels, of_faults, scratch, stream);
  });
}

}  // namespace
}  // namespace fastmetrics

FM_CUDA_OPERATOR("score_histogram_", &fastmetrics::score_histogram)
FM_CUDA_OPERATOR("score_histogram_rows_", &fastmetrics::score_histogram_rows)
FM_CUDA_OPERATOR("count_scores_", &fastmetrics::count_scores)
FM_CUDA_OPERATOR("count_scores_rows_", &fastmetrics::count_scores_rows)
FM_CUDA_OPERATOR("keep_scores_", &fastmetrics::keep_scores)
