// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/values.h"

namespace fastmetrics {

// What launch_values needs for itself.
ScratchSize values_scratch(const ValuesBatch& b);

// Adds the batch to the states, on the stream of the current device.
cudaError_t launch_values(const ValuesBatch& b, const ValuesStates& states, const Scratch& scratch,
                          cudaStream_t stream);

}  // namespace fastmetrics
