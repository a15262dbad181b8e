// SPDX-License-Identifier: Apache-2.0
//
// Amounts of samples to the rows of their groups, on the CPU; the meaning is add_amounts_body in
// fastmetrics/passes/amounts.py. One thread adds them, in the order of the samples: what it takes is little beside the
// pass that made the amounts.

#include "passes/loops_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 1024;

template <typename T>
void add_all(const Amounts<T>& a, T* state) {
  const int64_t samples = a.rows.layout.samples();
  for (int64_t begin = 0; begin < samples; begin += kBlock) {
    const int n = static_cast<int>(std::min<int64_t>(kBlock, samples - begin));
    for (int64_t k = 0; k < a.rows.slicings; ++k) {
      int32_t row[kBlock];
      read_rows(a.rows, k, begin, n, row);
      const auto add = [&](auto width) {
        for (int i = 0; i < n; ++i) {
          if (row[i] < 0) continue;
          for (int64_t j = 0; j < width; ++j) {
            const int64_t cell = a.cell(begin + i, j);
            if (static_cast<uint64_t>(cell) >= static_cast<uint64_t>(a.of_row)) continue;
            state[row[i] * a.of_row + cell] += a.of_samples[(begin + i) * width + j];
          }
        }
      };
      if (a.width == 1) {
        add(std::integral_constant<int64_t, 1>{});
      } else {
        add(a.width);
      }
    }
  }
}

}  // namespace

void add_amounts(const Amounts<int64_t>& a, int64_t* state) { add_all(a, state); }
void add_amounts(const Amounts<double>& a, double* state) { add_all(a, state); }

}  // namespace fastmetrics
