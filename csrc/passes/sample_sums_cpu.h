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
  static bool listed(const Slicings* rows, int64_t numbers, int64_t sums) {
    return rows != nullptr && numbers * rows->size() * kListed < sums;
  }

  SampleSums(const Slicings* rows, double* sums, std::vector<double>* list, Members* members)
      : rows_(rows), sums_(sums), list_(list), members_(members) {
    if (rows != nullptr) row_.resize(rows->size() * kChunk);
  }

  // The rows of n samples from `first` on, at most kChunk. target: kInvalid for those that are not valid.
  void read(int64_t first, int n, const int32_t* target) {
    read_rows(*rows_, first, n, kChunk, row_.data());
    if (*members_) members_->add(first, n, kChunk, row_.data(), target, 0, [&](int i) { return first + i; });
  }

  using Values = std::array<double, kWidth>;

  // Adds to a cell of those of each row of sample i, of those that were read.
  void add(int i, int64_t cells_of_row, int64_t cell, const Values& values) {
    for (size_t at = i; at < row_.size(); at += kChunk) {
      if (row_[at] >= 0) add_to(row_[at] * cells_of_row + cell, values);
    }
  }

  // Adds values_of(i) to the cell cell_of(i) of those of each row of the n samples that were read and weigh something.
  template <typename CellOf, typename ValuesOf>
  void add_all(int n, const double* weight, int64_t cells_of_row, const CellOf& cell_of, const ValuesOf& values_of) {
    for (size_t first = 0; first < row_.size(); first += kChunk) {
      const int32_t* row = &row_[first];
      for (int i = 0; i < n; ++i) {
        if (row[i] >= 0 && weight[i] != 0.0) add_to(row[i] * cells_of_row + cell_of(i), values_of(i));
      }
    }
  }

 private:
  void add_to(int64_t place, const Values& values) {
    if (list_ != nullptr) {
      list_->push_back(static_cast<double>(place));
      list_->insert(list_->end(), values.begin(), values.end());
      return;
    }
    double* sums = sums_ + place * kWidth;
    for (int j = 0; j < kWidth; ++j) sums[j] += values[j];
  }

  const Slicings* rows_;
  double* sums_;
  std::vector<double>* list_;  // null: there are sums
  Members* members_;           // empty if they are not wanted
  std::vector<int32_t> row_;   // [K, kChunk]
};

}  // namespace fastmetrics
