// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/token_rows.h"

namespace fastmetrics {

// How many bytes launch_token_rows needs for itself.
int64_t token_rows_workspace(const TokenRowsBatch& b);

// Writes b.out, on the stream of the current device. workspace: aligned to 8 bytes, any values.
cudaError_t launch_token_rows(const TokenRowsBatch& b, void* workspace, cudaStream_t stream);

}  // namespace fastmetrics
