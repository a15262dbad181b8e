// SPDX-License-Identifier: Apache-2.0
//
// The operators of what a row of scores or labels is as a whole, on a GPU: what is given is checked here and goes to
// launches that know no torch.

#include "common/operator_cuda.h"
#include "passes/rows_arguments.h"
#include "passes/rows_cuda.h"

namespace fastmetrics {
namespace {

void hinge(View preds, View target, OptionalView valid, OptionalView weights, State hinge, State count,
           OptionalState faults, bool squared, bool one_vs_all, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = scored_batch("hinge_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const bool multiclass = preds.dim() > target.dim();
  const HingeOptions options{multiclass, squared, one_vs_all && multiclass};
  const HingeSums sums = hinge_sums(b, options, hinge, count);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("hinge_", hinge_scratch(b, options), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_hinge(b, options, sums, of_faults, scratch, stream);
  });
}

void ranking(View preds, View target, OptionalView valid, OptionalView weights, OptionalState coverage,
             OptionalState average_precision, OptionalState ranking_loss, State count, OptionalState faults,
             int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = ranking_batch(preds, target, valid, weights, ignore_index, has_ignore_index);
  const RankingSums sums = ranking_sums(b, coverage, average_precision, ranking_loss, count);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("ranking_", ranking_scratch(b), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_ranking(b, sums, of_faults, scratch, stream);
  });
}

void exact_match(View preds, View target, OptionalView valid, OptionalView weights, State matched, State count,
                 OptionalState faults, int64_t num_classes, double probability_cutoff, double logit_cutoff,
                 int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = exact_match_batch(preds, target, valid, weights, num_classes, ignore_index, has_ignore_index);
  const ExactMatchOptions options = exact_match_options(target, matched, num_classes, probability_cutoff, logit_cutoff);
  const ExactMatchSums sums = exact_match_sums(b, options, matched, count);
  int64_t* const of_faults = faults_data(faults);
  with_scratch("exact_match_", exact_match_scratch(b, options), [&](const Scratch& scratch, cudaStream_t stream) {
    return launch_exact_match(b, options, sums, of_faults, scratch, stream);
  });
}

}  // namespace
}  // namespace fastmetrics

FM_CUDA_OPERATOR("hinge_", &fastmetrics::hinge)
FM_CUDA_OPERATOR("ranking_", &fastmetrics::ranking)
FM_CUDA_OPERATOR("exact_match_", &fastmetrics::exact_match)
