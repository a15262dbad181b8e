// SPDX-License-Identifier: Apache-2.0
//
// Normalized discounted cumulative gains of queries, of documents in their order or, if few are relevant, in any.

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/simd.h"
#include "passes/queries_measures_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kFewGrades = 32;

float float_of(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

}  // namespace

double Measures::gain(double relevance) const { return o_.exponential ? std::exp2(relevance) - 1.0 : relevance; }

// terms_: the gains of the documents; those of equal scores may have the mean of all.
void Measures::take_gains() {
  double* __restrict gains = terms_.data();
  if (o_.exponential && !plain_) {
    for (int64_t i = 0; i < n_; ++i) gains[i] = relevance_[i] == 0.0f ? 0.0 : gain(relevance_[i]);
  } else {
    for (int64_t i = 0; i < n_; ++i) gains[i] = relevance_[i];
  }
  if (!tied_ || (o_.ties != TieOrder::kDefault && o_.ties != TieOrder::kAverage)) return;
  for_ties(n_, [&](int64_t begin, int64_t end) {
    if (end - begin > 1) std::fill(gains + begin, gains + end, sum_of(gains + begin, end - begin) / (end - begin));
  });
}

// Calls f(grade, how many documents have it) for the grades above 0, the best first.
template <typename F>
void Measures::for_grades(const F& f) {
  if (plain_) {
    f(1.0, static_cast<int64_t>(total_));
    return;
  }
  int few = 1;
  for (int64_t i = 0; i < n_; ++i) few &= (relevance_[i] < kFewGrades) & (relevance_[i] == std::floor(relevance_[i]));
  if (few != 0) {
    int64_t documents[2][kFewGrades] = {};
    for (int64_t i = 0; i < n_; ++i) ++documents[i % 2][static_cast<int>(relevance_[i])];
    for (int grade = kFewGrades - 1; grade > 0; --grade) f(grade, documents[0][grade] + documents[1][grade]);
    return;
  }
  best_.assign(relevance_, relevance_ + n_);
  std::sort(best_.begin(), best_.end(), [](float a, float b) { return a > b; });
  for (int64_t i = 0; i < n_ && best_[i] > 0.0f; ++i) f(best_[i], 1);
}

void Measures::discounted_gains(const Run& run, double* to) {
  take_gains();
  double* __restrict terms = terms_.data();
  const double* discount = places_.discount.data();
  for (int64_t i = 0; i < n_; ++i) terms[i] *= discount[i];
  sums_of_terms(run, n_, to);
  divide_by_ideal(run, to);
}

// Makes of the gains of documents those relative to the best order.
void Measures::divide_by_ideal(const Run& run, double* to) {
  const double* sums = places_.discounts.data();
  ideal_.clear();
  for_grades([&](double grade, int64_t documents) {
    if (documents > 0) ideal_.emplace_back(gain(grade), documents);
  });
  const int64_t* ks = o_.ks + run.first;
  for (int64_t i = 0; i < run.count; ++i) {
    const int64_t seen = ks[i] == 0 ? n_ : std::min(n_, ks[i]);
    double most = 0.0;
    int64_t place = 0;
    for (const auto& [gain, documents] : ideal_) {
      if (place >= seen) break;
      most += gain * (sums[std::min(place + documents, seen)] - sums[place]);
      place += documents;
    }
    to[i] = ratio(to[i], most);
  }
}

// Gains need the places of relevant documents only. Of each, the documents with greater scores, and with scores that
// are not less, are counted, a register of relevant documents at a time: between these numbers are the places of the
// documents with its score, of which it has the mean discount.
bool Measures::measure_unordered(const float* scores, const float* relevance, int64_t n, double* values,
                                 double* total) {
  if (!only_gains_ || n > kMostUnordered) return false;
  int relevant = 0;
  int64_t at = 0;
  for (; at + kFloats <= n; at += kFloats) {
    const I32s grades = load<I32s>(relevance + at);
    const Mask32 is = greater((F32s)grades, F32s{});
    compress(is, load<I32s>(scores + at), relevant_scores_.data() + relevant);
    relevant += compress(is, grades, relevant_.data() + relevant);
  }
  for (; at < n; ++at) {
    memcpy(&relevant_scores_[relevant], scores + at, sizeof(float));
    memcpy(&relevant_[relevant], relevance + at, sizeof(float));
    relevant += relevance[at] > 0.0f;
  }
  if (2 * relevant > n) return false;
  begin(n, scores, relevance);
  for (int first = 0; first < relevant; first += kFloats) {
    const F32s own = load<F32s>(relevant_scores_.data() + first);  // behind the relevant ones it is anything
    I32s above = {}, not_below = {};
    for (int64_t i = 0; i < n; ++i) {
      const F32s score = F32s{} + scores[i];
      above = count(greater(score, own), above);
      not_below = count(at_least(score, own), not_below);
    }
    store(above, above_.data() + first);
    store(not_below, not_below_.data() + first);
  }
  const double* sums = places_.discounts.data();
  for (const Run& run : runs_) {
    double* to = values + run.first;
    each(run, to, [&](int64_t seen) {
      double gains = 0.0;
      for (int i = 0; i < relevant; ++i) {
        const int64_t from = std::min<int64_t>(above_[i], seen), until = std::min<int64_t>(not_below_[i], seen);
        const double discount = (sums[until] - sums[from]) / (not_below_[i] - above_[i]);
        gains += (plain_ ? 1.0 : gain(float_of(relevant_[i]))) * discount;
      }
      return gains;
    });
    divide_by_ideal(run, to);
  }
  *total = total_;
  return true;
}

}  // namespace fastmetrics
