// SPDX-License-Identifier: Apache-2.0
//
// merge_moments_: the moments of a batch go to those of a state, which is most of what a forward does besides reading.

#include "common/stable.h"
#include "rules/moments.h"

namespace fastmetrics {
namespace {

// moments, batch: float64 [D, 6].
void merge_moments(Tensor moments, const Tensor batch) {
  const int64_t outputs = moments.numel() / 6;
  double* to = state_data<double>(moments, DType::kDouble, 6 * outputs, "moments, float64 [D, 6]");
  STD_TORCH_CHECK(dtype_of(batch) == DType::kDouble && batch.numel() == 6 * outputs,
                  "merge_moments_: batch must be float64 [D, 6] as moments are");
  const Tensor rows = batch.is_contiguous() ? batch : torch::stable::contiguous(batch);
  const double* from = static_cast<const double*>(rows.const_data_ptr());
  for (int64_t d = 0; d < outputs; ++d) store(merged(moments_at(to + 6 * d), moments_at(from + 6 * d)), to + 6 * d);
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("merge_moments_", TORCH_BOX(&fastmetrics::merge_moments)); }
