// SPDX-License-Identifier: Apache-2.0
//
// keep_documents_ and sort_queries_; see fastmetrics/passes/queries.py for their meaning.

#include "passes/queries_order_cpu.h"
#include "passes/queries_reader_cpu.h"

namespace fastmetrics {

void keep_documents(const DocumentRows& b, const DocumentRules& rules, float* scores, float* relevance,
                    int64_t* faults) {
  const int64_t n = b.queries * b.documents;
  const int threads = threads_for(n);
  std::vector<Faults> found(threads);
  split(n, threads, [&](int thread, int64_t begin, int64_t end) {
    Reader reader(b, rules, &found[thread]);
    for (int64_t at = begin, step; at < end; at += step) {
      const int64_t row = at / b.documents, first = at % b.documents;
      step = std::min({kChunk, b.documents - first, end - at});
      reader.read(row, first, step);
      reader.for_each(row, first, step, [&](int64_t i, float score, float relevant, double, bool counts) {
        scores[row * b.documents + i] = counts ? score : std::numeric_limits<float>::quiet_NaN();
        relevance[row * b.documents + i] = counts ? relevant : 0.0f;
      });
    }
  });
  Faults::record(found, faults);
}

void sort_queries(const int64_t* indexes, const float* scores, const float* relevance, int64_t n, int64_t* ids,
                  int64_t* starts, float* sorted_scores, float* sorted_relevance, int64_t* counts) {
  int missing = 0, descends = 0;
  for (int64_t i = 0; i < n; ++i) missing |= scores[i] != scores[i];
  for (int64_t i = 1; i < n; ++i) descends |= indexes[i - 1] > indexes[i];
  const bool sorted = descends == 0, whole = missing == 0;
  const float *from_scores = scores, *from_relevance = relevance;
  int64_t queries = 0, m = 0;
  auto begin_at = [&](int64_t id) {
    if (m > 0 && ids[queries - 1] == id) return;
    ids[queries] = id;
    starts[queries++] = m;
  };
  if (sorted && whole) {
    for (; m < n; ++m) begin_at(indexes[m]);
  } else {
    std::vector<Keyed<uint64_t>> keyed;
    keyed.reserve(n);
    for (int64_t i = 0; i < n; ++i) {
      if (scores[i] == scores[i]) keyed.push_back({key_of(indexes[i]), static_cast<uint32_t>(i)});
    }
    if (!sorted) radix_sort(&keyed);
    for (const auto& one : keyed) {
      begin_at(indexes[one.index]);
      sorted_scores[m] = scores[one.index];
      sorted_relevance[m++] = relevance[one.index];
    }
    from_scores = sorted_scores;
    from_relevance = sorted_relevance;
  }
  starts[queries] = m;
  counts[0] = queries;
  counts[1] = m;
  split(queries, threads_for(m), [&](int, int64_t first, int64_t last) {
    Order order;
    for (int64_t q = first; q < last; ++q) {
      const int64_t at = starts[q];
      order.sort(from_scores + at, from_relevance + at, starts[q + 1] - at, sorted_scores + at, sorted_relevance + at);
    }
  });
}

}  // namespace fastmetrics
