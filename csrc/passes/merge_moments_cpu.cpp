// SPDX-License-Identifier: Apache-2.0
//
// merge_moments_: the moments of a batch go to those of a state, which is most of what a forward does besides reading.

#include "common/operator.h"
#include "rules/moments.h"

namespace fastmetrics {
namespace {

// moments, batch: float64 [D, 6].
void merge_moments(State moments, View batch) {
  const int64_t outputs = moments.numel() / 6;
  double* to = state_data<double>(moments, DType::kDouble, 6 * outputs, "moments, float64 [D, 6]");
  STD_TORCH_CHECK(batch.dtype() == DType::kDouble && batch.dim() == 2 && batch.size(0) == outputs && batch.size(1) == 6,
                  "merge_moments_: batch must be float64 [D, 6] as moments are");
  const double* from = static_cast<const double*>(batch.const_data_ptr());
  for (int64_t d = 0; d < outputs; ++d) {
    double row[6];
    for (int i = 0; i < 6; ++i) row[i] = from[d * batch.stride(0) + i * batch.stride(1)];
    store(merged(moments_at(to + 6 * d), moments_at(row)), to + 6 * d);
  }
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("merge_moments_", &fastmetrics::merge_moments)
