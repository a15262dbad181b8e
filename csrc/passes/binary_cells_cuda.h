// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/binary_cells.h"

namespace fastmetrics {

// What launch_binary_cells needs for itself.
ScratchSize binary_cells_scratch(const BinaryCells& c);

// Adds the batch to counts, on the stream of the current device. The weights are added if counts are float64.
cudaError_t launch_binary_cells(const BinaryCells& c, int64_t* counts, int64_t* faults, const Scratch& scratch,
                                cudaStream_t stream);
cudaError_t launch_binary_cells(const BinaryCells& c, double* counts, int64_t* faults, const Scratch& scratch,
                                cudaStream_t stream);

}  // namespace fastmetrics
