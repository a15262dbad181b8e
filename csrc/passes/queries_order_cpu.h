// SPDX-License-Identifier: Apache-2.0
//
// The order of the documents of a query. Few are ordered by counting, of each, how many come before it: n² comparisons,
// a register of them at a time, take less time than n log n that depend on each other. More are sorted as integers that
// hold key and place.

#pragma once

#include <algorithm>
#include <vector>

#include "common/simd.h"
#include "formulas/sort.h"

namespace fastmetrics {

constexpr int64_t kFewDocuments = 256;       // up to which they are ordered by counting
constexpr int64_t kManyDocuments = 1 << 12;  // from which on they are sorted by radix

// Ascending in the order in which documents are listed: by descending score.
inline uint32_t place_key(float score) { return ~key_of(score); }

// Orders the documents of a query.
class Order {
 public:
  // scores, relevance: [n], which the sorted ones are written over if `to` is the same.
  void sort(const float* scores, const float* relevance, int64_t n, float* to_scores, float* to_relevance) {
    if (n <= kFewDocuments) {
      few(scores, relevance, static_cast<int>(n), to_scores, to_relevance);
      return;
    }
    take(scores, relevance, n);
    if (n < kManyDocuments) {
      packed_.resize(n);
      for (int64_t i = 0; i < n; ++i) packed_[i] = uint64_t{place_key(scores_[i])} << 32 | static_cast<uint32_t>(i);
      std::sort(packed_.begin(), packed_.end());
      for (int64_t i = 0; i < n; ++i) put(i, static_cast<uint32_t>(packed_[i]), to_scores, to_relevance);
    } else {
      keyed_.resize(n);
      for (int64_t i = 0; i < n; ++i) keyed_[i] = {place_key(scores_[i]), static_cast<uint32_t>(i)};
      radix_sort(&keyed_);
      for (int64_t i = 0; i < n; ++i) put(i, keyed_[i].index, to_scores, to_relevance);
    }
  }

 private:
  static constexpr int kLanes = kRegister / 4, kBlock = 2 * kLanes;

  void take(const float* scores, const float* relevance, int64_t n) {
    scores_.assign(scores, scores + n);
    relevance_.assign(relevance, relevance + n);
  }

  void put(int64_t place, int64_t from, float* to_scores, float* to_relevance) const {
    to_scores[place] = scores_[from];
    to_relevance[place] = relevance_[from];
  }

  // Calls put(place, i) for n documents by their keys: how many come before each one is its place.
  template <typename F>
  void places(int n, const F& put) {
    const int32_t* keys = few_keys_;
    int64_t sum = 0;
    int first = 0;
    for (; first + kLanes < n; first += kBlock) {
      const I32s a = load<I32s>(keys + first), b = load<I32s>(keys + first + kLanes);
      I32s before_a = {}, before_b = {};
      for (int j = 0; j < n; ++j) {
        const I32s key = I32s{} + keys[j];
        before_a = count(greater(a, key), before_a);
        before_b = count(greater(b, key), before_b);
      }
      store(before_a, few_places_ + first);
      store(before_b, few_places_ + first + kLanes);
    }
    if (first < n) {
      const I32s a = load<I32s>(keys + first);
      I32s before = {};
      for (int j = 0; j < n; ++j) before = count(greater(a, I32s{} + keys[j]), before);
      store(before, few_places_ + first);
    }
    for (int i = 0; i < n; ++i) sum += few_places_[i];
    if (sum != int64_t{n} * (n - 1) / 2) {  // some are equal
      for (int first = 0; first < n; first += kLanes) {
        const I32s a = load<I32s>(keys + first), at = lane_numbers<I32s>() + first;
        I32s places = load<I32s>(few_places_ + first);
        const int last = std::min(n, first + kLanes);
        for (int j = 0; j < last; ++j) places -= (keys[j] == a) & (j < at);
        store(places, few_places_ + first);
      }
    }
    for (int i = 0; i < n; ++i) put(few_places_[i], i);
  }

  void few(const float* scores, const float* relevance, int n, float* to_scores, float* to_relevance) {
    for (int i = 0; i < n; ++i) few_keys_[i] = static_cast<int32_t>(place_key(scores[i]) ^ 0x80000000u);
    for (int i = n; i < n + kBlock; ++i) few_keys_[i] = INT32_MAX;
    if (scores == to_scores) {
      take(scores, relevance, n);
      scores = scores_.data();
      relevance = relevance_.data();
    }
    places(n, [&](int32_t place, int i) {
      to_scores[place] = scores[i];
      to_relevance[place] = relevance[i];
    });
  }

  std::vector<float> scores_, relevance_;
  std::vector<uint64_t> packed_;
  std::vector<Keyed<uint32_t>> keyed_;
  int32_t few_keys_[kFewDocuments + kBlock], few_places_[kFewDocuments + kBlock];
};

}  // namespace fastmetrics
