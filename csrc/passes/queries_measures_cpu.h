// SPDX-License-Identifier: Apache-2.0
//
// The measures of one query after the other, from its documents in their order.

#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "common/cpu.h"
#include "passes/queries.h"

namespace fastmetrics {

constexpr int64_t kMostUnordered = 256;  // documents whose relevant ones are compared with all

inline double ratio(double part, double whole) { return whole > 0.0 ? part / whole : 0.0; }

template <typename T>
double sum_of(const T* values, int64_t n) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) lanes[j] += values[i + j];
  }
  double rest = 0.0;
  for (; i < n; ++i) rest += values[i];
  return sum_of_lanes<kLanes>(lanes) + rest;
}

// Of each place the discount 1 / log2(place + 2), the sum of all before it, and 1 / (place + 1).
struct Places {
  std::vector<double> discount, discounts, inverse;

  Places(int64_t most, const MeasureOptions& options);

  int64_t most() const { return static_cast<int64_t>(inverse.size()); }
};

class Measures {
 public:
  Measures(const MeasureOptions& options, const Places& places);

  // Writes the measures of a query to values, [options.count]; returns the sum of its relevance.
  // scores, relevance: [n], in their order.
  double measure(const float* scores, const float* relevance, int64_t n, double* values);

  // The same of documents in any order, if that is less work than to sort them; returns whether it is.
  bool measure_unordered(const float* scores, const float* relevance, int64_t n, double* values, double* total);

 private:
  // Consecutive values of one measure.
  struct Run {
    int64_t measure, first, count;
    bool counts_up;  // at 1, 2 .. count documents
  };
  // What a share is relative to: the number of documents that were asked for, that were seen, or all relevance.
  enum class Whole { kAsked, kSeen, kTotal };

  bool wants(int measure) const { return wanted_ >> measure & 1; }
  void begin(int64_t n, const float* scores, const float* relevance);
  void find_ties();
  const float* last_first(const float* relevance);
  void count_relevant();
  void add_up_relevance();

  // Writes value(how many documents are seen) for each number that was asked for.
  template <typename F>
  void each(const Run& run, double* to, const F& value) const {
    const int64_t* ks = o_.ks + run.first;
    for (int64_t i = 0; i < run.count; ++i) to[i] = value(ks[i] == 0 ? n_ : std::min(n_, ks[i]));
  }

  // Calls f(begin, end) for the runs of equal scores.
  template <typename F>
  void for_ties(int64_t n, const F& f) const {
    for (int64_t begin = 0, end; begin < n; begin = end) {
      for (end = begin + 1; end < n && scores_[end] == scores_[begin];) ++end;
      f(begin, end);
    }
  }

  void shares(const Run& run, int64_t most, Whole whole, double* to) const;
  void sums_of_terms(const Run& run, int64_t most, double* to);
  void average_precisions(const Run& run, double* to);
  void discounted_gains(const Run& run, double* to);
  void divide_by_ideal(const Run& run, double* to);
  void take_gains();
  template <typename F>
  void for_grades(const F& f);
  double gain(double relevance) const;
  double area_of_places(int64_t seen) const;
  double area_of_ties(int64_t seen) const;

  const MeasureOptions& o_;
  const Places& places_;
  int64_t wanted_ = 0;
  std::vector<Run> runs_;
  bool only_gains_;  // and no order of equal scores

  // Of the present query.
  int64_t n_ = 0, positive_ = 0;  // documents, and those with a score above 0
  bool plain_ = false;            // all relevance is 0 or 1
  bool tied_ = false;             // there are equal scores
  double total_ = 0.0;
  const float* scores_ = nullptr;
  const float* relevance_ = nullptr;
  const double* hits_ = nullptr;  // hits_[i]: the relevance of the first i documents
  std::vector<double> found_;     // how many of the first i documents are relevant
  std::vector<double> own_hits_;  // hits_, where they are not found_
  std::vector<double> terms_;     // of a sum over documents
  std::vector<double> sums_;      // of the first i terms
  std::vector<float> untied_, best_;
  // Of relevant documents: the bits of their relevance and of their scores, how many documents have greater scores, and
  // how many have such or equal ones.
  std::vector<int32_t> relevant_, relevant_scores_, above_, not_below_;
  std::vector<std::pair<double, int64_t>> ideal_;  // gains, and how many documents have them, the best first
};

}  // namespace fastmetrics
