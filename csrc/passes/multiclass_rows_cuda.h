// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/multiclass.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

// What launch_multiclass_rows needs for itself. samples: whether the samples of each row are counted; then those whose
// group is out of range are recorded, if they have one each.
ScratchSize multiclass_rows_scratch(const SampleRows& rows, bool samples);

// Adds each sample of the batch to the rows of the states, which have a first dimension of rows.count, on the stream of
// the current device. samples: [rows.count] or null.
cudaError_t launch_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<int64_t>& s,
                                   int64_t* samples, const Scratch& scratch, cudaStream_t stream);
cudaError_t launch_multiclass_rows(const MulticlassBatch& b, const SampleRows& rows, const MulticlassCells<double>& s,
                                   double* samples, const Scratch& scratch, cudaStream_t stream);

}  // namespace fastmetrics
