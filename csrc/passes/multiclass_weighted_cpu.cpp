// SPDX-License-Identifier: Apache-2.0
//
// The multiclass pass over weighted samples on the CPU; its meaning is multiclass_weighted_body in
// fastmetrics/passes/multiclass.py.
//
// Threads reduce a chunk of samples to labels, which is where the bytes are read; then one thread adds their weights in
// the order of the samples. So the same data gives the same bits for any number of threads.

#include <vector>

#include "passes/loops_cpu.h"
#include "passes/multiclass_block_cpu.h"

namespace fastmetrics {
namespace {

constexpr int64_t kChunk = int64_t{1} << 16;  // samples

using States = MulticlassCells<double>;

// A sample as it is counted.
struct Sample {
  int32_t target, label, rank;  // target or label are negative if it is not
  double weight;
};

void read_samples(const MulticlassBatch& b, int64_t begin, int64_t end, bool want_ranks, Sample* to, Faults* faults) {
  for_each_block(b, begin, end, want_ranks, faults, [&](int64_t first, int n, const Block& block, const Ahead&) {
    for (int i = 0; i < n; ++i) {
      Sample& sample = to[first - begin + i];
      sample = {block.target[i], block.labels[i], block.ranks[i], 0.0};
      if (sample.target == kIgnored || sample.target == kInvalid) continue;
      sample.weight = b.weights[b.layout.offset(first + i, b.layout.d_stride)];
      if (!faults->check_weight(sample.weight, first + i)) sample.target = kBad;
    }
  });
}

void add_sample(const MulticlassBatch& b, const States& s, int64_t row, const Sample& sample) {
  const int64_t t = sample.target, p = sample.label, c = b.classes, k = s.k;
  if (s.confusion != nullptr) s.confusion[t * c + p] += sample.weight;
  if (s.counts != nullptr) {
    if (t == p) s.counts[(row + t) * 3] += sample.weight;
    s.counts[(row + p) * 3 + 1] += sample.weight;
    s.counts[(row + t) * 3 + 2] += sample.weight;
  }
  if (s.rank_histogram != nullptr) s.rank_histogram[sample.rank] += sample.weight;
  if (s.ranks != nullptr && sample.rank < k) {
    s.ranks[((row + t) * k + sample.rank) * 2] += sample.weight;
    s.ranks[((row + p) * k + sample.rank) * 2 + 1] += sample.weight;
  }
}

}  // namespace

void add_weighted_multiclass(const MulticlassBatch& b, const States& s) {
  const int64_t samples = b.layout.samples();
  const int64_t chunk = std::max<int64_t>(kBlock, std::min(kChunk, samples));
  std::vector<Sample> read(chunk);
  std::vector<Faults> faults(threads_for(chunk * (b.scores ? b.classes : 4)));
  for (int64_t from = 0; from < samples; from += chunk) {
    const int64_t n = std::min(chunk, samples - from);
    split(n, static_cast<int>(faults.size()), [&](int thread, int64_t begin, int64_t end) {
      read_samples(b, from + begin, from + end, s.want_ranks(), &read[begin], &faults[thread]);
    });
    for (int64_t i = 0; i < n; ++i) {
      if (read[i].target < 0 || read[i].label < 0) continue;
      add_sample(b, s, b.samplewise ? (from + i) / b.per_sample * b.classes : 0, read[i]);
    }
  }
  Faults::record(faults, s.faults);
}

}  // namespace fastmetrics
