// SPDX-License-Identifier: Apache-2.0
//
// What the pass is given that adds amounts of samples to the rows of their groups, on every device. The meaning is
// add_amounts_body in fastmetrics/passes/amounts.py.

#pragma once

#include "passes/sample_rows.h"

namespace fastmetrics {

// T: double or int64_t.
template <typename T>
struct Amounts {
  SampleRows rows;
  const T* of_samples;   // [samples, width]
  const int64_t* cells;  // [samples], which number of a row; null: amount i of a sample goes to number i
  int64_t width;         // 1 with cells
  int64_t of_row;        // numbers of a row of the state

  // Which number amount i of a sample goes to; outside of [0, of_row) it is left out.
  FM_HD int64_t cell(int64_t sample, int64_t i) const { return cells == nullptr ? i : cells[sample]; }
};

}  // namespace fastmetrics
