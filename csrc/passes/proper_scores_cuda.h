// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "passes/rows.h"
#include "passes/sample_rows.h"

namespace fastmetrics {

// How many int64 launch_proper_scores needs for itself.
int64_t proper_scores_workspace(const RowsBatch& b, const SampleRows* rows, const ProperScoresOptions& options);

// Adds the batch to the sums, on the stream of the current device. rows: where each sample is added, of states that
// have rows; null: they have none. workspace: int64, any values.
cudaError_t launch_proper_scores(const RowsBatch& b, const SampleRows* rows, const ProperScoresOptions& options,
                                 const ProperScoresSums& sums, int64_t* faults, int64_t* workspace,
                                 cudaStream_t stream);

}  // namespace fastmetrics
