// SPDX-License-Identifier: Apache-2.0
//
// How many samples each group has, on the CPU; its meaning is count_groups_body in fastmetrics/passes/groups.py.

#include <mutex>
#include <vector>

#include "passes/loops_cpu.h"
#include "passes/sample_rows_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 1024;
constexpr int64_t kFoldEvery = int64_t{1} << 30;

// Groups out of range of one thread.
struct BadGroups {
  int64_t count = 0, first = 0;
};

}  // namespace

void add_groups(const SampleRows& rows, const GroupsMask& mask, int64_t* counts, int64_t* faults) {
  const int64_t samples = rows.layout.samples();
  const int threads = threads_for(samples * 4);
  std::mutex folding;
  for (int64_t k = 0; k < rows.slicings; ++k) {
    std::vector<BadGroups> found(threads);
    split(samples, threads, [&](int thread, int64_t begin, int64_t end) {
      RowCells cells;
      cells.open(counts, rows.count, rows.count <= samples / threads, threads > 1);
      BadGroups& bad = found[thread];
      while (begin < end) {
        const int64_t to = std::min(end, begin + kFoldEvery);
        for (; begin < to; begin += kBlock) {
          const int n = static_cast<int>(std::min<int64_t>(kBlock, to - begin));
          int32_t row[kBlock];
          read_rows(rows, k, begin, n, row);
          if (mask.valid != nullptr) {
            for_each_run(mask.layout, mask.layout.a_stride, begin, n,
                         [&](int64_t at, int64_t step, int done, int size) {
                           mask_labels(mask.valid, at, step, size, row + done);
                         });
          }
          for (int i = 0; i < n; ++i) {
            if (row[i] >= 0) {
              cells.add(row[i]);
            } else if (row[i] == kBad && bad.count++ == 0) {
              bad.first =
                  label_at(rows.data, rows.type, rows.slicing(k) + rows.layout.offset(begin + i, rows.layout.a_stride));
            }
          }
        }
        begin = to;
        std::lock_guard<std::mutex> one_at_a_time(folding);
        cells.fold();
      }
    });
    if (faults == nullptr) continue;
    for (const BadGroups& bad : found) {
      if (bad.count == 0) continue;
      if (faults[2 * kBadGroup] == 0) faults[2 * kBadGroup + 1] = bad.first;
      faults[2 * kBadGroup] += bad.count;
    }
  }
}

}  // namespace fastmetrics
