// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cuda_runtime_api.h>

#include "common/scratch.h"
#include "passes/sample_rows.h"
#include "passes/scores.h"

namespace fastmetrics {

// The rows of the states of samples that have some; null: there is one, of all.
inline int64_t states_of(const ColumnRows* rows) { return rows == nullptr ? 1 : rows->of_first.count; }

// What launch_score_histogram, launch_count_scores and launch_keep_scores need for themselves.
ScratchSize score_histogram_scratch(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins);
ScratchSize count_scores_scratch(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys);
ScratchSize keep_scores_scratch(const ScoresBatch& b);

// Add the batch to the histogram, [columns, bins, 2] of each row, on the stream of the current device. The weights are
// added if it is float64.
cudaError_t launch_score_histogram(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins,
                                   int64_t* histogram, int64_t* faults, const Scratch& scratch, cudaStream_t stream);
cudaError_t launch_score_histogram(const ScoresBatch& b, const ColumnRows* rows, const ScoreBins& bins,
                                   double* histogram, int64_t* faults, const Scratch& scratch, cudaStream_t stream);
cudaError_t launch_count_scores(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys, int64_t* counts,
                                int64_t* faults, const Scratch& scratch, cudaStream_t stream);
cudaError_t launch_count_scores(const ScoresBatch& b, const ColumnRows* rows, const ScoreKeys& keys, double* counts,
                                int64_t* faults, const Scratch& scratch, cudaStream_t stream);

// Writes the batch, of whose type scores are: [samples, columns]. labels: likewise; null: signs say them.
cudaError_t launch_keep_scores(const ScoresBatch& b, void* scores, int8_t* labels, int64_t* faults,
                               const Scratch& scratch, cudaStream_t stream);

}  // namespace fastmetrics
