// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/sample_rows.h"
#include "passes/values.h"

namespace fastmetrics {

// Adds the batch to the rows of the states, on the stream of the current device.
cudaError_t launch_values_rows(const ValuesBatch& b, const SampleRows& rows, const ValuesStates& s,
                               cudaStream_t stream);

}  // namespace fastmetrics
