// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/rows.h"

namespace fastmetrics {

// Writes the figure of every row, on the stream of the current device.
cudaError_t launch_rows(const RowsBatch& b, cudaStream_t stream);

}  // namespace fastmetrics
