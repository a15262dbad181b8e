// SPDX-License-Identifier: Apache-2.0

#include "passes/rows_cuda.h"

#include "common/cuda.h"
#include "passes/rows_arguments.h"

namespace fastmetrics {
namespace {

int64_t* data_of(Tensor& workspace) { return static_cast<int64_t*>(workspace.mutable_data_ptr()); }

Tensor workspace_of(const Tensor& like, int64_t numel) {
  return torch::stable::new_empty(like, {numel}, torch::headeronly::ScalarType::Long);
}

void hinge_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights, Tensor hinge,
                Tensor count, OptionalTensor faults, bool squared, bool one_vs_all, int64_t ignore_index,
                bool has_ignore_index) {
  on_device_of(preds, "hinge_", {&target, &hinge, &count}, {&valid, &weights, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const RowsBatch b = scored_batch("hinge_", preds, target, valid, weights, ignore_index, has_ignore_index);
  const bool multiclass = preds.dim() > target.dim();
  const HingeOptions options{multiclass, squared, one_vs_all && multiclass};
  Tensor workspace = workspace_of(hinge, hinge_workspace(b, options));
  check("hinge_", launch_hinge(b, options, hinge_sums(b, options, hinge, count), faults_data(faults),
                               data_of(workspace), current_stream(preds)));
}

void ranking_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                  OptionalTensor coverage, OptionalTensor average_precision, OptionalTensor ranking_loss, Tensor count,
                  OptionalTensor faults, int64_t ignore_index, bool has_ignore_index) {
  on_device_of(preds, "ranking_", {&target, &count},
               {&valid, &weights, &coverage, &average_precision, &ranking_loss, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const RowsBatch b = ranking_batch(preds, target, valid, weights, ignore_index, has_ignore_index);
  const RankingSums sums = ranking_sums(b, coverage, average_precision, ranking_loss, count);
  Tensor workspace = workspace_of(count, ranking_workspace(b));
  check("ranking_", launch_ranking(b, sums, faults_data(faults), data_of(workspace), current_stream(preds)));
}

void exact_match_cuda(const Tensor preds, const Tensor target, OptionalTensor valid, OptionalTensor weights,
                      Tensor matched, Tensor count, OptionalTensor faults, int64_t num_classes,
                      double probability_cutoff, double logit_cutoff, int64_t ignore_index, bool has_ignore_index) {
  on_device_of(preds, "exact_match_", {&target, &matched, &count}, {&valid, &weights, &faults});
  const torch::stable::accelerator::DeviceGuard guard(preds.get_device_index());
  const RowsBatch b = exact_match_batch(preds, target, valid, weights, num_classes, ignore_index, has_ignore_index);
  const ExactMatchOptions options = exact_match_options(target, matched, num_classes, probability_cutoff, logit_cutoff);
  Tensor workspace = workspace_of(matched, exact_match_workspace(b, options));
  check("exact_match_", launch_exact_match(b, options, exact_match_sums(b, options, matched, count),
                                           faults_data(faults), data_of(workspace), current_stream(preds)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) {
  m.impl("hinge_", TORCH_BOX(&fastmetrics::hinge_cuda));
  m.impl("ranking_", TORCH_BOX(&fastmetrics::ranking_cuda));
  m.impl("exact_match_", TORCH_BOX(&fastmetrics::exact_match_cuda));
}
