// SPDX-License-Identifier: Apache-2.0
//
// How many samples each group has, and the rows of the samples of several slicings, on the CPU; their meaning is
// count_groups_body and place_groups_body in fastmetrics/passes/groups.py.

#include <vector>

#include "passes/loops_cpu.h"
#include "passes/members_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 1024;

// Marks the rows of n samples from `begin` on that are not looked at.
void mask_rows(const GroupsMask& mask, int64_t begin, int n, int32_t* row) {
  if (mask.valid == nullptr) return;
  for_each_run(mask.layout, mask.layout.a_stride, begin, n, [&](int64_t at, int64_t step, int done, int size) {
    mask_labels(mask.valid, at, step, size, row + done);
  });
}

}  // namespace

void add_groups(const Slicings& rows, const GroupsMask& mask, int64_t* counts, int64_t* faults) {
  count_members(rows, mask, counts, faults);
}

void place_groups(const SampleRows& groups, const GroupsMask& mask, int32_t* rows, int64_t slicing, int32_t start,
                  int64_t* faults) {
  const int64_t samples = groups.layout.samples();
  const int threads = threads_for(samples * 4);
  std::vector<BadGroups> found(threads);
  split(samples, threads, [&](int thread, int64_t begin, int64_t end) {
    BadGroups bad;
    for (; begin < end; begin += kBlock) {
      const int n = static_cast<int>(std::min<int64_t>(kBlock, end - begin));
      int32_t group[kBlock];
      read_rows(groups, 0, begin, n, group);
      mask_rows(mask, begin, n, group);
      const int32_t* before = slicing == 0 ? group : rows + begin;  // a row of -1 is one in all of them
      int32_t* to = rows + slicing * samples + begin;
      int32_t none = 0;
      for (int i = 0; i < n; ++i) none |= group[i] | before[i];
      for (int i = 0; i < n; ++i) to[i] = group[i] + start;
      for (int i = 0; none < 0 && i < n; ++i) {
        if (group[i] == kBad) bad.add(0, begin + i, groups.row_of(begin + i, 0));
        if ((group[i] | before[i]) >= 0) continue;
        for (int64_t k = 0; k <= slicing; ++k) rows[k * samples + begin + i] = -1;
      }
    }
    found[thread] = bad;
  });
  BadGroups::record(found, faults);
}

}  // namespace fastmetrics
