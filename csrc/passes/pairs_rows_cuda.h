// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/pairs.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

// What launch_pairs_rows needs for itself.
ScratchSize pairs_rows_scratch(const PairsBatch& b, const ColumnRows& rows, const PairsStates& s);

// Adds the batch to the rows of the states, on the stream of the current device.
cudaError_t launch_pairs_rows(const PairsBatch& b, const ColumnRows& rows, const PairsStates& s, const Scratch& scratch,
                              cudaStream_t stream);

}  // namespace fastmetrics
