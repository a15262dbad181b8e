// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/rows.h"

namespace fastmetrics {

// Each launch adds the batch to the sums on the stream of the current device. The function above it says what it needs
// for itself; no more than some megabytes for any batch, but for sums that are kept apart.

ScratchSize hinge_scratch(const RowsBatch& b, const HingeOptions& options);
cudaError_t launch_hinge(const RowsBatch& b, const HingeOptions& options, const HingeSums& sums, int64_t* faults,
                         const Scratch& scratch, cudaStream_t stream);

ScratchSize ranking_scratch(const RowsBatch& b);
cudaError_t launch_ranking(const RowsBatch& b, const RankingSums& sums, int64_t* faults, const Scratch& scratch,
                           cudaStream_t stream);

ScratchSize exact_match_scratch(const RowsBatch& b, const ExactMatchOptions& options);
cudaError_t launch_exact_match(const RowsBatch& b, const ExactMatchOptions& options, const ExactMatchSums& sums,
                               int64_t* faults, const Scratch& scratch, cudaStream_t stream);

}  // namespace fastmetrics
