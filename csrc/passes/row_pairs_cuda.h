// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/row_pairs.h"

namespace fastmetrics {

// Writes the figure of every row, on the stream of the current device.
cudaError_t launch_row_pairs(const RowPairsBatch& b, cudaStream_t stream);

}  // namespace fastmetrics
