// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/binary_cells.h"

namespace fastmetrics {

// How many int64 launch_binary_cells needs for itself.
int64_t binary_cells_workspace(const BinaryCells& c);

// Adds the batch to counts, on the stream of the current device. The weights are added if counts are float64.
// workspace: int64 [binary_cells_workspace(c)], any values.
cudaError_t launch_binary_cells(const BinaryCells& c, int64_t* counts, int64_t* faults, int64_t* workspace,
                                cudaStream_t stream);
cudaError_t launch_binary_cells(const BinaryCells& c, double* counts, int64_t* faults, int64_t* workspace,
                                cudaStream_t stream);

}  // namespace fastmetrics
