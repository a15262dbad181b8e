// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/values.h"

namespace fastmetrics {

// How many Extent launch_values needs for itself.
int64_t values_workspace(const ValuesBatch& b);

// Adds the batch to the states, on the stream of the current device. workspace: [values_workspace(b)].
cudaError_t launch_values(const ValuesBatch& b, const ValuesStates& states, Extent* workspace, cudaStream_t stream);

}  // namespace fastmetrics
