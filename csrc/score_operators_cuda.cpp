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
void add_batch(const ScoresBatch& b, const ScoreBins& bins, Cell* histogram, const OptionalState& faults) {
  int64_t* const of_faults = faults_data(faults);
  with_scratch("score_histogram_", score_histogram_scratch(b, bins), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_score_histogram(b, bins, histogram, of_faults, scratch, stream);
  });
}

void score_histogram(View preds, View target, OptionalView valid, OptionalView weights, View cuts, View logit_cuts,
                     State histogram, OptionalState faults, bool uniform, bool in_columns, int64_t logits,
                     int64_t ignore_index, bool has_ignore_index, bool ignored_decide) {
  const ScoresBatch b = scores_batch("score_histogram_", preds, target, valid, weights, in_columns, logits,
                                     ignore_index, has_ignore_index, ignored_decide);
  const ScoreBins bins = score_bins(cuts, logit_cuts, uniform);
  if (weights.has_value()) {
    add_batch(b, bins, score_histogram_data<double>(b, bins, histogram), faults);
  } else {
    add_batch(b, bins, score_histogram_data<int64_t>(b, bins, histogram), faults);
  }
}

template <typename Cell>
void count_batch(const ScoresBatch& b, const ScoreKeys& keys, Cell* counts, const OptionalState& faults) {
  int64_t* const of_faults = faults_data(faults);
  with_scratch("count_scores_", count_scores_scratch(b, keys), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_count_scores(b, keys, counts, of_faults, scratch, stream);
  });
}

void count_scores(View preds, View target, OptionalView valid, OptionalView weights, State counts, OptionalState faults,
                  int64_t bits, bool in_columns, int64_t logits, int64_t ignore_index, bool has_ignore_index,
                  bool ignored_decide) {
  const ScoresBatch b = scores_batch("count_scores_", preds, target, valid, weights, in_columns, logits, ignore_index,
                                     has_ignore_index, ignored_decide);
  const ScoreKeys keys = score_keys(b, bits, logits);
  if (weights.has_value()) {
    count_batch(b, keys, score_counts_data<double>(b, keys, counts), faults);
  } else {
    count_batch(b, keys, score_counts_data<int64_t>(b, keys, counts), faults);
  }
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
FM_CUDA_OPERATOR("count_scores_", &fastmetrics::count_scores)
FM_CUDA_OPERATOR("keep_scores_", &fastmetrics::keep_scores)
