// SPDX-License-Identifier: Apache-2.0
//
// ranking_sums_ and query_sums_; see fastmetrics/passes/queries.py for their meaning.

#include <algorithm>
#include <utility>
#include <vector>

#include "passes/queries_measures_cpu.h"
#include "passes/queries_order_cpu.h"
#include "passes/queries_reader_cpu.h"

namespace fastmetrics {
namespace {

constexpr int64_t kMostParts = 64, kPartDocuments = 1 << 14;  // of what is added up apart

// Measures queries, and adds what comes of it to sums of its own.
class Adder {
 public:
  Adder(const MeasureOptions& options, const Places& places, const QuerySums& to)
      : measures_(options, places), to_(to), values_(options.count) {}

  // scores, relevance: [n], in their order.
  void add(const float* scores, const float* relevance, int64_t n, double weight) {
    add_values(measures_.measure(scores, relevance, n, values_.data()), n, weight);
  }

  // The same in any order, if that is less work than to sort them; returns whether it is.
  bool add_unordered(const float* scores, const float* relevance, int64_t n, double weight) {
    double total;
    if (!measures_.measure_unordered(scores, relevance, n, values_.data(), &total)) return false;
    add_values(total, n, weight);
    return true;
  }

 private:
  void add_values(double total, int64_t n, double weight) {
    to_.counts[0] += weight;
    if (total == 0.0) to_.counts[1] += weight;
    if (total == static_cast<double>(n)) to_.counts[2] += weight;
    double* __restrict sums = to_.sums;
    const double* values = values_.data();
    for (size_t i = 0; i < values_.size(); ++i) sums[i] += weight * values[i];
  }

  Measures measures_;
  QuerySums to_;
  std::vector<double> values_;
};

// Calls f(part, begin, end, sums) for parts of the queries whose number depends on sizes alone, each with sums of its
// own, which are added in order.
template <typename F>
void add_in_parts(int64_t queries, int64_t documents, const MeasureOptions& o, const QuerySums& to, const F& f) {
  const Parts parts(queries, std::min({kMostParts, queries, documents / kPartDocuments}));
  const int64_t size = o.count, step = (size + 3 + 7) / 8 * 8;  // no two threads write to one line
  std::vector<double> all(step * (parts.count + 1));
  parts.for_each(threads_for(documents), [&](int64_t part, int64_t begin, int64_t end) {
    double* sums = all.data() + step * part;
    f(part, begin, end, QuerySums{sums, sums + size});
  });
  for (int64_t part = 0; part < parts.count; ++part) {
    const double* sums = all.data() + step * part;
    for (int64_t i = 0; i < size; ++i) to.sums[i] += sums[i];
    for (int64_t i = 0; i < 3; ++i) to.counts[i] += sums[size + i];
  }
}

// Adds the queries of rows, one after the other.
class RowAdder {
 public:
  RowAdder(const DocumentRows& b, const DocumentRules& rules, const MeasureOptions& options, const Places& places,
           const QuerySums& to, Faults* faults)
      : b_(b),
        reader_(b, rules, faults),
        adder_(options, places, to),
        scores_(b.documents),
        relevance_(b.documents),
        sorted_scores_(b.documents),
        sorted_relevance_(b.documents) {}

  void add(int64_t row) {
    double weight = 0.0;
    const int64_t n = read(row, &weight);
    if (n == 0 || adder_.add_unordered(scores_.data(), relevance_.data(), n, weight)) return;
    order_.sort(scores_.data(), relevance_.data(), n, sorted_scores_.data(), sorted_relevance_.data());
    adder_.add(sorted_scores_.data(), sorted_relevance_.data(), n, weight);
  }

 private:
  // Reads the documents that count, and their greatest weight; returns how many there are.
  int64_t read(int64_t row, double* weight) {
    int64_t n = 0;
    for (int64_t at = 0; at < b_.documents; at += kChunk) {
      const int64_t step = std::min(kChunk, b_.documents - at);
      if (reader_.read(row, at, step)) {
        std::copy_n(reader_.scores(), step, scores_.data() + n);
        std::copy_n(reader_.relevance(), step, relevance_.data() + n);
        *weight = 1.0;
        n += step;
        continue;
      }
      reader_.for_each(row, at, step, [&](int64_t, float score, float relevance, double own, bool counts) {
        scores_[n] = score;
        relevance_[n] = relevance;
        n += counts;
        if (counts) *weight = std::max(*weight, own);
      });
    }
    return n;
  }

  const DocumentRows& b_;
  Reader reader_;
  Order order_;
  Adder adder_;
  std::vector<float> scores_, relevance_, sorted_scores_, sorted_relevance_;
};

void add_rows(const DocumentRows& b, const DocumentRules& rules, const MeasureOptions& options, const QuerySums& to,
              int64_t* faults) {
  const Places places(b.documents, options);
  std::vector<Faults> found(kMostParts);
  add_in_parts(b.queries, b.queries * b.documents, options, to,
               [&](int64_t part, int64_t begin, int64_t end, const QuerySums& sums) {
                 RowAdder rows(b, rules, options, places, sums, &found[part]);
                 for (int64_t row = begin; row < end; ++row) rows.add(row);
               });
  Faults::record(found, faults);
}

}  // namespace

void add_rankings(const Rankings& rankings, const double* weights, const MeasureOptions& options, const QuerySums& to) {
  const int64_t documents = rankings.queries > 0 ? rankings.starts[rankings.queries] : 0;
  const Places places(rankings.most(), options);
  add_in_parts(rankings.queries, documents, options, to,
               [&](int64_t, int64_t begin, int64_t end, const QuerySums& sums) {
                 Adder adder(options, places, sums);
                 for (int64_t q = begin; q < end; ++q) {
                   const int64_t at = rankings.starts[q], n = rankings.starts[q + 1] - at;
                   const double weight = weights == nullptr ? 1.0 : weights[q];
                   if (n > 0) adder.add(rankings.scores + at, rankings.relevance + at, n, weight);
                 }
               });
}

void add_queries(const DocumentRows& b, const int64_t* indexes, const DocumentRules& rules,
                 const MeasureOptions& options, const QuerySums& to, int64_t* faults) {
  const int64_t n = b.queries * b.documents;
  if (indexes == nullptr) {
    add_rows(b, rules, options, to, faults);
    return;
  }
  std::vector<float> scores(n), relevance(n), sorted_scores(n), sorted_relevance(n);
  std::vector<int64_t> ids(n), starts(n + 1);
  int64_t counts[2];
  keep_documents(b, rules, scores.data(), relevance.data(), faults);
  std::vector<std::pair<int64_t, double>> weights;  // of documents that count, by query
  if (b.weights != nullptr) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = i / b.documents * b.weights_row + i % b.documents * b.weights_column;
      if (scores[i] == scores[i]) weights.emplace_back(indexes[i], b.weights[at]);
    }
    std::sort(weights.begin(), weights.end());
  }
  sort_queries(indexes, scores.data(), relevance.data(), n, ids.data(), starts.data(), sorted_scores.data(),
               sorted_relevance.data(), counts);
  std::vector<double> of_queries;
  for (int64_t q = 0; q < counts[0] && b.weights != nullptr; ++q) {
    // sorted as the documents are, so that the last one of a query has its greatest weight
    of_queries.push_back(weights[starts[q + 1] - 1].second);
  }
  add_rankings({sorted_scores.data(), sorted_relevance.data(), starts.data(), counts[0]},
               b.weights == nullptr ? nullptr : of_queries.data(), options, to);
}

}  // namespace fastmetrics
