// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/binary.h"

namespace fastmetrics {

// How many int64 launch_binary needs for itself.
int64_t binary_workspace(const BinaryBatch& b);

// Adds the batch to counts, on the stream of the current device. workspace: int64 [binary_workspace(b)], any values.
cudaError_t launch_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults, int64_t* workspace,
                          cudaStream_t stream);

}  // namespace fastmetrics
