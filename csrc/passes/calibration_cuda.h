// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/rows.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

// How many int64 launch_calibration needs for itself.
int64_t calibration_workspace(const RowsBatch& b, const SampleRows* rows, const CalibrationOptions& options);

// Adds the batch to the sums, on the stream of the current device. rows: where each sample is added, of states that
// have rows; null: they have none. workspace: int64, any values.
cudaError_t launch_calibration(const RowsBatch& b, const SampleRows* rows, const CalibrationOptions& options,
                               const CalibrationSums& sums, int64_t* faults, int64_t* workspace, cudaStream_t stream);

}  // namespace fastmetrics
