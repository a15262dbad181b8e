// SPDX-License-Identifier: Apache-2.0
//
// The slicings to whose rows of the states a pass adds each sample, on the CPU. Their groups are read where they are.

#pragma once

#include <vector>

#include "passes/sample_rows.h"

namespace fastmetrics {

struct Slicings {
  std::vector<SampleRows> each;   // its groups, of one slicing, and how many there are
  std::vector<int32_t> first;     // the row of the first of them
  std::vector<int64_t> a_column;  // from its groups of a column of labels to those of the next; none: samples have them
  int64_t count;                  // of rows of the states
  bool together;                  // whether a sample that one of them leaves out is left out of all

  int64_t size() const { return static_cast<int64_t>(each.size()); }

  // Whether groups out of range are recorded where samples are counted; rows of several slicings come with those
  // marked.
  bool records() const { return together || size() == 1; }

  // The group of a sample in slicing k, of a column where these have their own.
  int64_t group_at(int64_t k, int64_t sample, int64_t column = 0) const {
    const SampleRows& of = each[k];
    const int64_t at = a_column.empty() ? 0 : column * a_column[k];
    return label_at(of.data, of.type, at + of.layout.offset(sample, of.layout.a_stride));
  }
};

// Those whose rows of the states are given.
inline Slicings slicings_of(const SampleRows& rows) {
  Slicings s{{}, std::vector<int32_t>(rows.slicings, 0), {}, rows.count, false};
  for (int64_t k = 0; k < rows.slicings; ++k) {
    s.each.push_back(rows);
    s.each[k].data = static_cast<const char*>(rows.data) + rows.slicing(k) * size_of(rows.type);
    s.each[k].slicings = 1;
  }
  return s;
}

}  // namespace fastmetrics
