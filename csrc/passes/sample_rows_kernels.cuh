// SPDX-License-Identifier: Apache-2.0
//
// The rows of a state that a kernel adds a sample to: those that it was given, SampleRows or ColumnRows, or one that
// has all samples, OneRow. Which of them is a template argument. And where a round over a batch (common/rounds.cuh)
// finds what it adds.

#pragma once

#include "common/cells.cuh"
#include "passes/rows_kernels.cuh"
#include "passes/sample_rows.h"

namespace fastmetrics {

struct OneRow {};

FM_HD int64_t count_of(const OneRow&) { return 1; }
FM_HD int64_t count_of(const SampleRows& rows) { return rows.count; }

FM_HD int64_t slicings_of(const OneRow&) { return 1; }
FM_HD int64_t slicings_of(const SampleRows& rows) { return rows.slicings; }

// Where the rows of a sample are, for each_row.
__device__ __forceinline__ int64_t find_rows(const OneRow&, int64_t) { return 0; }
__device__ __forceinline__ int64_t find_rows(const SampleRows& rows, int64_t sample) {
  return rows.layout.offset(sample, rows.layout.a_stride);
}

// Calls f(row) for each row of the sample whose rows are at `at`; those out of range are left out.
template <typename F>
__device__ __forceinline__ void each_row(const OneRow&, int64_t, const F& f) {
  f(int64_t{0});
}
template <typename F>
__device__ __forceinline__ void each_row(const SampleRows& rows, int64_t at, const F& f) {
#pragma unroll 1
  for (int64_t k = 0; k < rows.slicings; ++k) {
    const int64_t row = label_at(rows.data, rows.type, rows.slicing(k) + at);
    if (static_cast<uint64_t>(row) < static_cast<uint64_t>(rows.count)) f(row);
  }
}

FM_HD int64_t count_of(const ColumnRows& rows) { return rows.of_first.count; }
FM_HD int64_t slicings_of(const ColumnRows& rows) { return rows.of_first.slicings; }

// The same of a column of a sample.
__device__ __forceinline__ int64_t find_rows(const OneRow&, int64_t, int64_t) { return 0; }
__device__ __forceinline__ int64_t find_rows(const ColumnRows& rows, int64_t sample, int64_t column) {
  return find_rows(rows.of_first, sample) + column * rows.a_column;
}
template <typename F>
__device__ __forceinline__ void each_row(const ColumnRows& rows, int64_t at, const F& f) {
  each_row(rows.of_first, at, f);
}

// What a round finds, in scratch that is zero before and after. cells: those of the states. scratch: [kRowsScratch].
template <typename Cell>
struct RoundFound {
  CellOfCard<Cell>* cells;
  int64_t* scratch;

  // One thread, when it has been read.
  __device__ void clear_scratch() const {
    for (int i = 0; i < kRowsScratch; ++i) scratch[i] = 0;
  }

  // How many int64 it takes.
  static int64_t words(int64_t cells) { return kRowsScratch + cells; }
  static RoundFound at(int64_t* words) { return {reinterpret_cast<CellOfCard<Cell>*>(words + kRowsScratch), words}; }
};

}  // namespace fastmetrics
