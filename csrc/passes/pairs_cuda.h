// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/pairs.h"

namespace fastmetrics {

// How many double launch_pairs needs for itself; no more than some megabytes for any batch.
int64_t pairs_workspace(const PairsBatch& b, const PairsStates& s);

// Adds the batch to the states, on the stream of the current device. workspace: float64 [pairs_workspace(b, s)].
cudaError_t launch_pairs(const PairsBatch& b, const PairsStates& s, double* workspace, cudaStream_t stream);

}  // namespace fastmetrics
