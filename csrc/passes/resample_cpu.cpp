// SPDX-License-Identifier: Apache-2.0
//
// Samples drawn with replacement and what they add up to, on the CPU; the meaning is resample_body in
// fastmetrics/passes/resample.py.
//
// Draws are independent of each other: each thread makes some, in a table of its own. Numbers of a block come first, in
// a loop without memory that vectorises, and then the samples that they choose.

#include <memory>

#include "common/cpu.h"
#include "passes/loops_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kBlock = 256;
constexpr uint64_t kStep = 0x9E3779B97F4A7C15;

inline uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// Which of n samples n are chosen from `first` on, by the hash of a draw.
inline void choose(uint64_t of_draw, int64_t first, int count, int64_t n, int32_t* chosen) {
  const double samples = static_cast<double>(n);
  for (int i = 0; i < count; ++i) {
    const uint64_t hash = mixed(of_draw + static_cast<uint64_t>(first + i + 1) * kStep);
    const double share = static_cast<double>(static_cast<int64_t>(hash >> 11)) * 0x1p-53;
    chosen[i] = std::min(static_cast<int32_t>(share * samples), static_cast<int32_t>(n - 1));
  }
}

}  // namespace

void resample(const Resample& r, double* sums) {
  if (r.n == 0) return;
  int64_t all = 0;
  for (int64_t d = 0; d < r.draws; ++d) all += r.sizes[d];
  // where each sample adds to, those of one sample together; the last is of those that add to none
  const std::unique_ptr<int32_t[]> of_sample(new int32_t[r.n * r.places]);
  for (int64_t p = 0; p < r.places; ++p) {
    for (int64_t i = 0; i < r.n; ++i) {
      const int32_t place = r.place[p * r.n + i];
      of_sample[i * r.places + p] = place >= 0 && place < r.sums ? place : static_cast<int32_t>(r.sums);
    }
  }
  split(r.draws, threads_for(all * r.places), [&](int, int64_t begin, int64_t end) {
    const std::unique_ptr<uint32_t[]> table(new uint32_t[r.sums + 1]);
    for (int64_t d = begin; d < end; ++d) {
      memset(table.get(), 0, (r.sums + 1) * sizeof(uint32_t));
      const uint64_t of_draw = mixed(static_cast<uint64_t>(r.seed) + static_cast<uint64_t>(d + 1) * kStep);
      int32_t chosen[kBlock];
      for (int64_t first = 0; first < r.sizes[d]; first += kBlock) {
        const int count = static_cast<int>(std::min<int64_t>(kBlock, r.sizes[d] - first));
        choose(of_draw, first, count, r.n, chosen);
        for (int i = 0; i < count; ++i) {
          const int32_t* place = of_sample.get() + chosen[i] * r.places;
          for (int64_t p = 0; p < r.places; ++p) ++table[place[p]];
        }
      }
      for (int64_t s = 0; s < r.sums; ++s) sums[d * r.sums + s] += table[s];
    }
  });
}

}  // namespace fastmetrics
