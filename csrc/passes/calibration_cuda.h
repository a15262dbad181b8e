// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/rows.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

// What launch_calibration needs for itself.
ScratchSize calibration_scratch(const RowsBatch& b, const SampleRows* rows, const CalibrationOptions& options);

// Adds the batch to the sums, on the stream of the current device. rows: where each sample is added, of states that
// have rows; null: they have none.
cudaError_t launch_calibration(const RowsBatch& b, const SampleRows* rows, const CalibrationOptions& options,
                               const CalibrationSums& sums, int64_t* faults, const Scratch& scratch,
                               cudaStream_t stream);

}  // namespace fastmetrics
