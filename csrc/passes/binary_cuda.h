// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/binary.h"

namespace fastmetrics {

// What launch_binary needs for itself.
ScratchSize binary_scratch(const BinaryBatch& b);

// Adds the batch to counts, on the stream of the current device.
cudaError_t launch_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults, const Scratch& scratch,
                          cudaStream_t stream);

}  // namespace fastmetrics
