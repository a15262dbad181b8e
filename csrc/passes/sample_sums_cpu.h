// SPDX-License-Identifier: Apache-2.0
//
// Sums of what each sample adds to the rows of a state, in one part of a batch; see sum_rows in rows_cpu.h.

#pragma once

#include <array>
#include <vector>

#include "passes/rows_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {

// A cell has `kWidth` sums. They are those of all rows or, where a batch adds less than that, a list of what is added
// to which cell: either takes no more memory than the other would, and about what the states take at most.
template <int kWidth>
class SampleSums {
 public:
  static constexpr int kListed = 1 + kWidth;  // numbers of an addition: the cell, what is added

  // numbers: what a sample adds to, of all samples; sums: of all rows.
  static bool listed(const SampleRows* rows, int64_t numbers, int64_t sums) {
    return rows != nullptr && numbers * rows->slicings * kListed < sums;
  }

  SampleSums(const SampleRows* rows, double* sums, std::vector<double>* list) : rows_(rows), sums_(sums), list_(list) {
    if (rows != nullptr) row_.resize(rows->slicings * kChunk);
  }

  // The rows of n samples from `first` on, at most kChunk.
  void read(int64_t first, int n) {
    for (int64_t k = 0; k < rows_->slicings; ++k) read_rows(*rows_, k, first, n, &row_[k * kChunk]);
  }

  // Adds to a cell of those of each row of sample i, of those that were read.
  void add(int i, int64_t cells_of_row, int64_t cell, const std::array<double, kWidth>& values) {
    for (size_t at = i; at < row_.size(); at += kChunk) {
      if (row_[at] < 0) continue;
      const int64_t place = row_[at] * cells_of_row + cell;
      if (list_ != nullptr) {
        list_->push_back(static_cast<double>(place));
        list_->insert(list_->end(), values.begin(), values.end());
      } else {
        for (int j = 0; j < kWidth; ++j) sums_[place * kWidth + j] += values[j];
      }
    }
  }

 private:
  const SampleRows* rows_;
  double* sums_;
  std::vector<double>* list_;  // null: there are sums
  std::vector<int32_t> row_;   // [K, kChunk]
};

}  // namespace fastmetrics
