// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/token_rows.h"

namespace fastmetrics {

// What launch_token_rows needs for itself.
ScratchSize token_rows_scratch(const TokenRowsBatch& b);

// Writes b.out, on the stream of the current device.
cudaError_t launch_token_rows(const TokenRowsBatch& b, const Scratch& scratch, cudaStream_t stream);

}  // namespace fastmetrics
