// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/multiclass.h"

namespace fastmetrics {

// Adds the batch to the states, on the stream of the current device.
cudaError_t launch_multiclass(const MulticlassBatch& b, const MulticlassStates& s, cudaStream_t stream);

}  // namespace fastmetrics
