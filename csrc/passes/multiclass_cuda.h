// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/multiclass.h"

namespace fastmetrics {

// Add the batch to the states, on the stream of the current device. The batch has weights if the states are double.
cudaError_t launch_multiclass(const MulticlassBatch& b, const MulticlassStates& s, cudaStream_t stream);
cudaError_t launch_multiclass_weighted(const MulticlassBatch& b, const MulticlassCells<double>& s, cudaStream_t stream);

}  // namespace fastmetrics
