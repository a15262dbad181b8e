// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/sample_rows.h"

namespace fastmetrics {

// Adds how many samples each group has, on the stream of the current device. counts: [S]. faults: [kFaults] or null.
cudaError_t launch_count_groups(const SampleRows& rows, const GroupsMask& mask, int64_t* counts, int64_t* faults,
                                cudaStream_t stream);
cudaError_t launch_count_groups(const SampleRows& rows, const GroupsMask& mask, double* counts, int64_t* faults,
                                cudaStream_t stream);

// Fills rows [K, samples] of `slicing` from its groups, on the stream of the current device. groups.count: of this
// slicing. start: the first of its rows.
cudaError_t launch_place_groups(const SampleRows& groups, const GroupsMask& mask, int32_t* rows, int64_t slicing,
                                int32_t start, int64_t* faults, cudaStream_t stream);

}  // namespace fastmetrics
