// SPDX-License-Identifier: Apache-2.0
//
// The loops of the passes on the CPU: each adds a batch, which the files of operators in csrc have checked, to the
// states.

#pragma once

#include "passes/amounts.h"
#include "passes/binary_cells.h"
#include "passes/multiclass.h"
#include "passes/pairs.h"
#include "passes/resample.h"
#include "passes/row_pairs.h"
#include "passes/rows.h"
#include "passes/sample_rows.h"
#include "passes/scores.h"
#include "passes/token_rows.h"
#include "passes/values.h"

namespace fastmetrics {

struct Slicings;

void add_multiclass(const MulticlassBatch& b, const MulticlassStates& s);
// What add_multiclass does where only totals are asked for, [3].
void add_multiclass_totals(const MulticlassBatch& b, int64_t* totals, int64_t* faults);

// The states have rows: [S, C, C], [S, C, 3], [S, C, K, 2] and [S, C].
// members: [S], how many samples each row has, or null.
void add_multiclass_rows(const MulticlassBatch& b, const Slicings& rows, int64_t* members, const MulticlassStates& s);
// What add_multiclass does with samplewise batches whose rows have no table of few pairs.
void add_multiclass_places(const MulticlassBatch& b, const MulticlassStates& s);
void add_weighted_multiclass(const MulticlassBatch& b, const Slicings& rows, const MulticlassCells<double>& s);

// counts: [S].
void add_groups(const Slicings& rows, const GroupsMask& mask, int64_t* counts, int64_t* faults);
// rows: [K, samples], of which those of `slicing` are filled; groups.count: of this slicing.
void place_groups(const SampleRows& groups, const GroupsMask& mask, int32_t* rows, int64_t slicing, int32_t start,
                  int64_t* faults);

// state: [S, numbers].
void add_amounts(const Amounts<int64_t>& a, int64_t* state);
void add_amounts(const Amounts<double>& a, double* state);

// counts: [L, 4] or [N, L, 4]; faults: [kFaults] or null, here and below.
void add_binary(const BinaryBatch& b, int64_t* counts, int64_t* faults);
// counts: [L, 4] or [S, L, 4], of doubles if the batch has weights.
void add_binary_cells(const BinaryCells& c, const Slicings& slicings, int64_t* counts, int64_t* faults);
void add_binary_cells(const BinaryCells& c, const Slicings& slicings, double* counts, int64_t* faults);

// sums: [T, D, S].
void resample(const Resample& r, double* sums);

void add_hinge(const RowsBatch& b, const HingeOptions& options, const HingeSums& to, int64_t* faults);
// rows: where each sample is added, of states that have rows; null: they have none. members: [S], how many samples each
// row has, or null.
void add_calibration(const RowsBatch& b, const Slicings* rows, const CalibrationOptions& options,
                     const CalibrationSums& to, int64_t* members, int64_t* faults);
void add_proper_scores(const RowsBatch& b, const Slicings* rows, const ProperScoresOptions& options,
                       const ProperScoresSums& to, int64_t* members, int64_t* faults);
void add_ranking(const RowsBatch& b, const RankingSums& to, int64_t* faults);
void add_exact_match(const RowsBatch& b, const ExactMatchOptions& options, const ExactMatchSums& to, int64_t* faults);

// histogram: [C, T + 1, 2], or [S, C, T + 1, 2] of rows, of doubles if the batch has weights.
void add_score_histogram(const ScoresBatch& b, const Slicings* rows, const ScoreBins& bins, int64_t* histogram,
                         int64_t* members, int64_t* faults);
void add_score_histogram(const ScoresBatch& b, const Slicings* rows, const ScoreBins& bins, double* histogram,
                         int64_t* faults);

// histogram: [C, keys.number(), 2], or that of each row.
void count_scores(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, int64_t* histogram,
                  int64_t* members, int64_t* faults);
void count_scores(const ScoresBatch& b, const Slicings* rows, const ScoreKeys& keys, double* histogram,
                  int64_t* faults);

// scores: [N, C] of the type of the scores, whose sign says what the target is; or it is in labels, [N, C].
void keep_scores(const ScoresBatch& b, void* scores, int8_t* labels, int64_t* faults);

void add_pairs(const PairsBatch& b, const PairsStates& s);
void add_values(const ValuesBatch& b, const ValuesStates& s);
// The states have rows: [S, D], and [S].
void add_pairs_rows(const PairsBatch& b, const Slicings& rows, const PairsStates& s);
void add_values_rows(const ValuesBatch& b, const Slicings& rows, const ValuesStates& s);

// These write what the batch says to its `out`.
void compute_row_pairs(const RowPairsBatch& b);
void compute_token_rows(const TokenRowsBatch& b);

}  // namespace fastmetrics
