// SPDX-License-Identifier: Apache-2.0
//
// The token rows pass on the CPU; its meaning is token_rows_body in fastmetrics/passes/token_rows.py.
//
// A row is read in blocks that stay in the first cache: each is looked through for its greatest logit, and then again
// for the exponentials, while the next one is fetched. Exponentials of logits up to 32 bits are floats, with relative
// errors of about 1e-7, and summed in lanes for a block, where small ones lose digits beside great ones: the relative
// error of a sum is up to about 1e-6. Blocks are added in double. The order depends on the size of the vocabulary
// alone. Rows with NaN have sums of NaN, and are walked again for their ranks.

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "common/cpu.h"
#include "common/math_cpu.h"
#include "passes/loops_cpu.h"
#include "rules/log_sum_exp.h"
#include "rules/order.h"

namespace fastmetrics {
namespace {

constexpr int64_t kBlock = 4096;  // logits
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double library_exp(double x) { return std::exp(x); }

// What there is for the lanes of T.
template <typename T>
struct Lanes {
  using V = F32s;
  using Counts = I32s;
  static constexpr int kCount = kFloats;
  static constexpr float kLeast = -87.0f;  // where an exponential counts for nothing, but is no subnormal number yet

  static V load(const T* from) { return widen_floats(from); }

  static V exp(V x) { return exp_of_negative(x); }
  static double sum(V lanes) {
    double sum = 0.0;
    for (int j = 0; j < kCount; ++j) sum += static_cast<double>(lanes[j]);
    return sum;
  }
};

template <>
struct Lanes<double> {
  using V = F64s;
  using Counts = I64s;
  static constexpr int kCount = kDoubles;
  static constexpr double kLeast = -700.0;

  static V load(const double* from) { return fastmetrics::load<V>(from); }
  static V exp(V x) { return FastMath().exp(x); }
  static double sum(V lanes) { return sum_of_lanes(lanes); }
};

// The logits from `i` on, in whole vectors: those behind the end are -inf.
template <typename T>
typename Lanes<T>::V load_some(const T* from, int64_t i, int64_t n) {
  if (i + Lanes<T>::kCount <= n) return Lanes<T>::load(from + i);
  typename Lanes<T>::V x = typename Lanes<T>::V{} - INFINITY;
  for (int j = 0; i + j < n; ++j) x[j] = widen(from[i + j]);
  return x;
}

// Calls f(i, k) for the vectors of n logits, k from 0 to 3 in turn.
template <typename T, typename F>
void for_vectors(int64_t n, const F& f) {
  constexpr int kCount = Lanes<T>::kCount;
  int64_t i = 0;
  for (; i + 4 * kCount <= n; i += 4 * kCount) {
    for (int k = 0; k < 4; ++k) f(i + k * kCount, k);
  }
  for (int k = 0; i < n; i += kCount, ++k) f(i, k);
}

// The greatest of n logits; NaN if any is.
template <typename T>
double greatest_of(const T* from, int64_t n) {
  using V = typename Lanes<T>::V;
  V best[4];
  decltype(unordered(V{}, V{})) nan = {};
  for (V& of : best) of = V{} - INFINITY;
  for_vectors<T>(n, [&](int64_t i, int k) __attribute__((always_inline)) {
    const V x = load_some(from, i, n);
    nan |= unordered(x, x);
    best[k] = greater_of(x, best[k]);
  });
  if (any(nan)) return kNaN;
  return greatest_lane(greater_of(greater_of(best[0], best[1]), greater_of(best[2], best[3])));
}

// The sums of n logits relative to `greatest`, which is finite.
template <bool kEntropy, typename T>
LogitSums sums_of(const T* from, int64_t n, double greatest) {
  using L = Lanes<T>;
  using V = typename L::V;
  const V most = V{} + static_cast<decltype(V{}[0] + 0)>(greatest), least = V{} + L::kLeast;
  V sum[4] = {}, weighted[4] = {};
  for_vectors<T>(n, [&](int64_t i, int k) __attribute__((always_inline)) {
    __builtin_prefetch(from + i + kBlock, 0, 3);
    if (sizeof(T) * L::kCount > 64) __builtin_prefetch(from + i + kBlock + L::kCount / 2, 0, 3);
    const V x = greater_of(load_some(from, i, n) - most, least), e = L::exp(x);
    sum[k] += e;
    if (kEntropy) weighted[k] += e * x;
  });
  return {greatest, L::sum((sum[0] + sum[1]) + (sum[2] + sum[3])),
          kEntropy ? L::sum((weighted[0] + weighted[1]) + (weighted[2] + weighted[3])) : 0.0};
}

// How many of n logits come before the target, whose logit is `own`: those that are not less, or only those that are
// greater. None is NaN.
template <bool kEqual, typename T>
int64_t before(const T* from, int64_t n, T target) {
  using L = Lanes<T>;
  using V = typename L::V;
  const auto own = widen(target);
  const V of_target = V{} + own;
  typename L::Counts found[4] = {};
  const int64_t whole = n / L::kCount * L::kCount;
  for_vectors<T>(whole, [&](int64_t i, int k) __attribute__((always_inline)) {
    const V x = L::load(from + i);
    found[k] = count(kEqual ? at_least(x, of_target) : greater(x, of_target), found[k]);
  });
  int64_t rank = sum_of_lanes((found[0] + found[1]) + (found[2] + found[3]));
  for (int64_t i = whole; i < n; ++i) rank += kEqual ? widen(from[i]) >= own : widen(from[i]) > own;
  return rank;
}

// The same for any logits.
template <typename T>
int64_t rank_of(const T* row, int64_t step, int64_t n, int64_t target) {
  int64_t rank = 0;
  for (int64_t i = 0; i < n; ++i) rank += precedes(widen(row[i * step]), i, widen(row[target * step]), target);
  return rank;
}

// Adds the block [begin, begin + n) of a row, which is at `from`. own: the target's logit, if there is one.
template <bool kEntropy, bool kRanks, typename T>
void add_block(const T* from, int64_t begin, int64_t n, int64_t target, T own, LogitSums* sums, int64_t* rank) {
  const double greatest = greatest_of(from, n);
  if (!(std::fabs(greatest) < INFINITY)) {
    if (greatest != -INFINITY) *sums = {kNaN, kNaN, kNaN};  // NaN, or inf, whose softmax is NaN
  } else if (!(sums->greatest != sums->greatest)) {
    const double most = std::max(greatest, sums->greatest);
    *sums = merged(*sums, sums_of<kEntropy>(from, n, most), library_exp);
  }
  if (!kRanks || target < 0) return;
  const int64_t up_to = std::clamp<int64_t>(target - begin, 0, n);
  *rank += before<true>(from, up_to, own) + before<false>(from + up_to, n - up_to, own);
}

template <bool kEntropy, bool kRanks, typename T>
void read_tokens(const TokenRowsBatch& b, int64_t first, int64_t last) {
  const int64_t v = b.vocabulary, tokens = b.tokens.samples();
  T copied[kBlock];
  for (int64_t token = first; token < last; ++token) {
    const int64_t target = b.target[token];
    const bool here = target >= 0 && target < v;
    LogitSums sums;
    int64_t rank = 0;
    double own = -INFINITY;
    if (target != kSkipped) {
      const T* row = static_cast<const T*>(b.logits) + b.tokens.offset(token, b.tokens.a_stride);
      T of_target{};
      if (here) of_target = row[target * b.a_logit];
      if (here) own = widen(of_target);
      for (int64_t begin = 0; begin < v; begin += kBlock) {
        const int64_t n = std::min(kBlock, v - begin);
        const T* block = row + begin;
        if (b.a_logit != 1) {
          for (int64_t i = 0; i < n; ++i) copied[i] = row[(begin + i) * b.a_logit];
          block = copied;
        }
        add_block<kEntropy, kRanks>(block, begin, n, here ? target : kElsewhere, of_target, &sums, &rank);
      }
      if (kRanks && here && sums.greatest != sums.greatest) rank = rank_of(row, b.a_logit, v, target);
    }
    auto write = [&](TokenValue value, double x) { b.out[static_cast<int64_t>(value) * tokens + token] = x; };
    write(TokenValue::kGreatest, sums.greatest);
    write(TokenValue::kSum, sums.sum);
    write(TokenValue::kWeighted, kEntropy ? sums.weighted : 0.0);
    write(TokenValue::kOwn, own);
    write(TokenValue::kRank, static_cast<double>(rank));
  }
}

}  // namespace

void compute_token_rows(const TokenRowsBatch& b) {
  const int64_t tokens = b.tokens.samples();
  split(tokens, threads_for(tokens * b.vocabulary), [&](int, int64_t first, int64_t last) {
    with_score_type(b.type, [&](auto t) {
      using T = decltype(t);
      if (b.entropy) {
        b.rank ? read_tokens<true, true, T>(b, first, last) : read_tokens<true, false, T>(b, first, last);
      } else {
        b.rank ? read_tokens<false, true, T>(b, first, last) : read_tokens<false, false, T>(b, first, last);
      }
    });
  });
}

}  // namespace fastmetrics
