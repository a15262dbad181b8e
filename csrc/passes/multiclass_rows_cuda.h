// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/multiclass.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

constexpr int64_t kMulticlassRowsWorkspace = 6;  // int64

// Adds each sample of the batch to the rows of the states, which have a first dimension of rows.count, on the stream of
// the current device. samples: int64 [rows.count] or null. workspace: int64 [kMulticlassRowsWorkspace], any values.
cudaError_t launch_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<int64_t>& s,
                                   int64_t* samples, int64_t* workspace, cudaStream_t stream);
cudaError_t launch_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<double>& s,
                                   double* samples, int64_t* workspace, cudaStream_t stream);

}  // namespace fastmetrics
