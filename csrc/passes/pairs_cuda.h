// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/pairs.h"

namespace fastmetrics {

// What launch_pairs needs for itself; no more than some megabytes for any batch.
ScratchSize pairs_scratch(const PairsBatch& b, const PairsStates& s);

// Adds the batch to the states, on the stream of the current device.
cudaError_t launch_pairs(const PairsBatch& b, const PairsStates& s, const Scratch& scratch, cudaStream_t stream);

}  // namespace fastmetrics
