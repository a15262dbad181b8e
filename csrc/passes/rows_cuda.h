// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/rows.h"

namespace fastmetrics {

// Each launch adds the batch to the sums on the stream of the current device. workspace: as many int64 as the function
// above it says, of any values; no more than some megabytes for any batch, but for sums that are kept apart.

int64_t hinge_workspace(const RowsBatch& b, const HingeOptions& options);
cudaError_t launch_hinge(const RowsBatch& b, const HingeOptions& options, const HingeSums& sums, int64_t* faults,
                         int64_t* workspace, cudaStream_t stream);

int64_t ranking_workspace(const RowsBatch& b);
cudaError_t launch_ranking(const RowsBatch& b, const RankingSums& sums, int64_t* faults, int64_t* workspace,
                           cudaStream_t stream);

int64_t exact_match_workspace(const RowsBatch& b, const ExactMatchOptions& options);
cudaError_t launch_exact_match(const RowsBatch& b, const ExactMatchOptions& options, const ExactMatchSums& sums,
                               int64_t* faults, int64_t* workspace, cudaStream_t stream);

}  // namespace fastmetrics
