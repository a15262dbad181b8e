// SPDX-License-Identifier: Apache-2.0
//
// The operators for what a row of scores or labels is as a whole, hinge losses, rankings and exact matches: what is
// given is checked here and goes to loops that know no torch.

#include "common/operator.h"
#include "passes/loops_cpu.h"
#include "passes/rows_arguments.h"

namespace fastmetrics {
namespace {

void hinge(View preds, View target, OptionalView valid, OptionalView weights, State hinge, State count,
           OptionalState faults, bool squared, bool one_vs_all, int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = scored_batch("hinge_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const bool multiclass = preds.dim() > target.dim();
  const HingeOptions options{multiclass, squared, one_vs_all && multiclass};
  add_hinge(b, options, hinge_sums(b, options, hinge, count), faults_data(faults));
}

void ranking(View preds, View target, OptionalView valid, OptionalView weights, OptionalState coverage,
             OptionalState average_precision, OptionalState ranking_loss, State count, OptionalState faults,
             int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = ranking_batch(preds, target, valid, weights, ignore_index, has_ignore_index);
  add_ranking(b, ranking_sums(b, coverage, average_precision, ranking_loss, count), faults_data(faults));
}

void exact_match(View preds, View target, OptionalView valid, OptionalView weights, State matched, State count,
                 OptionalState faults, int64_t num_classes, double probability_cutoff, double logit_cutoff,
                 int64_t ignore_index, bool has_ignore_index) {
  const RowsBatch b = exact_match_batch(preds, target, valid, weights, num_classes, ignore_index, has_ignore_index);
  const ExactMatchOptions options = exact_match_options(target, matched, num_classes, probability_cutoff, logit_cutoff);
  add_exact_match(b, options, exact_match_sums(b, options, matched, count), faults_data(faults));
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("hinge_", &fastmetrics::hinge)
FM_CPU_OPERATOR("ranking_", &fastmetrics::ranking)
FM_CPU_OPERATOR("exact_match_", &fastmetrics::exact_match)
