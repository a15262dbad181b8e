// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/amounts.h"

namespace fastmetrics {

// Adds the amounts to the state [S, numbers], on the stream of the current device.
cudaError_t launch_amounts(const Amounts<int64_t>& a, int64_t* state, cudaStream_t stream);
cudaError_t launch_amounts(const Amounts<double>& a, double* state, cudaStream_t stream);

}  // namespace fastmetrics
