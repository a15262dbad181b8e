// SPDX-License-Identifier: Apache-2.0
//
// The token rows pass on the CPU; its meaning is token_rows_body in fastmetrics/passes/token_rows.py.
//
// A row is read once, in blocks: the exponentials of a block are relative to the greatest logit of those before it.
// Only the first block, and one with a logit that is much greater, is read again while it is in the first cache,
// relative to its own greatest logit. Exponentials of logits up to 32 bits are floats, with relative errors of some
// 1e-7, and summed in lanes for a block, where small ones lose digits beside great ones: the relative error of a sum is
// up to about 1e-6. Blocks are added in double. The order depends on the logits alone. Rows with NaN or inf have sums
// of NaN, and are walked again for their ranks.

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

// Bytes ahead, to the second cache and from there to the first: exponentials take so long that the processor itself
// fetches too little.
constexpr int64_t kFetch = 8192, kFetchNear = 1024;
// How much greater a logit may be than the reference: more would cost digits of its distance from it. A sum with these
// distances is a difference once it is of another reference.
constexpr double kExcess = 8.0, kExcessOfDistances = 2.0;
constexpr int64_t kFirst = 512;  // logits of the first block, where there is no such sum
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double library_exp(double x) { return std::exp(x); }

// What there is for the lanes of T. A lane adds as many logits of a block whatever the registers are, so that sums of
// few lanes are as exact as those of many.
template <typename T>
struct Lanes {
  using V = F32s;
  using Counts = I32s;
  static constexpr int kCount = kFloats;
  static constexpr int64_t kBlock = 256 * kCount;  // logits
  static constexpr float kLeast = -87.0f;  // where an exponential counts for nothing, but is no subnormal number yet

  // Four vectors, whose lanes may come in any order.
  static void load(const T* from, V (&to)[4]) {
    if constexpr (sizeof(T) == 2) {
      widen_pair(from, &to[0], &to[1]);
      widen_pair(from + 2 * kCount, &to[2], &to[3]);
    } else {
      for (int k = 0; k < 4; ++k) to[k] = widen_floats(from + k * kCount);
    }
  }

  // Adds exp(x), and exp(x) x; NaN where x is NaN.
  static void add_exp(V x, V* sum) {
    const ExpFactors e = exp_factors<false>(x);
    *sum += e.power * e.fraction;
  }
  static void add_exp(V x, V* sum, V* weighted) {
    const ExpFactors e = exp_factors<false>(x);
    const V product = e.power * e.fraction;
    *sum += product;
    *weighted += product * x;
  }
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
  static constexpr int64_t kBlock = 256 * kCount;
  static constexpr double kLeast = -700.0;

  static void load(const double* from, V (&to)[4]) {
    for (int k = 0; k < 4; ++k) to[k] = fastmetrics::load<V>(from + k * kCount);
  }
  static V exp(V x) { return FastMath().exp(x) + 0.0 * x; }  // which by itself is anything where x is NaN
  static void add_exp(V x, V* sum) { *sum += exp(x); }
  static void add_exp(V x, V* sum, V* weighted) {
    const V e = exp(x);
    *sum += e;
    *weighted += e * x;
  }
  static double sum(V lanes) { return sum_of_lanes(lanes); }
};

// Calls f with n logits, four vectors at a time; behind the end there are logits of -inf.
template <typename T, typename F>
void for_vectors(const T* from, int64_t n, const F& f) {
  using L = Lanes<T>;
  using V = typename L::V;
  constexpr int kLogits = 4 * L::kCount;
  V x[4];
  int64_t i = 0;
  for (; i + kLogits <= n; i += kLogits) {
    for (size_t line = 0; line < kLogits * sizeof(T); line += 64) {
      const char* at = reinterpret_cast<const char*>(from + i) + line;
      __builtin_prefetch(at + kFetch, 0, 2);
      __builtin_prefetch(at + kFetchNear, 0, 3);
    }
    L::load(from + i, x);
    f(x);
  }
  if (i == n) return;
  decltype(V{}[0] + 0) rest[kLogits];
  std::fill_n(rest, kLogits, -INFINITY);
  for (int j = 0; i + j < n; ++j) rest[j] = widen(from[i + j]);
  for (int k = 0; k < 4; ++k) x[k] = load<V>(rest + k * L::kCount);
  f(x);
}

template <typename V>
V greatest_of_four(const V (&x)[4]) {
  return greater_of(greater_of(x[0], x[1]), greater_of(x[2], x[3]));
}

// The greatest of n logits, whatever is NaN.
template <typename T>
double greatest_of(const T* from, int64_t n) {
  using V = typename Lanes<T>::V;
  V best = V{} - INFINITY;
  for_vectors<T>(from, n,
                 [&](const V(&x)[4]) __attribute__((always_inline)) { best = greater_of(greatest_of_four(x), best); });
  return greatest_lane(best);
}

// Which logits come before the target: none are counted, those that are greater, those that are not less.
enum class Ahead { kNone, kGreater, kNotLess };

struct Block {
  double greatest;  // whatever is NaN
  LogitSums sums;   // relative to the reference; NaN if any logit is
  int64_t ahead;
};

// Reads n logits. `reference` is finite; `own` is the target's logit. Where a logit is much greater than the
// reference the sums mean nothing.
template <bool kEntropy, Ahead kAhead, typename T>
Block read_block(const T* from, int64_t n, double reference, double own) {
  using L = Lanes<T>;
  using V = typename L::V;
  using Number = decltype(V{}[0] + 0);
  const V most = V{} + static_cast<Number>(reference), least = V{} + L::kLeast, mine = V{} + static_cast<Number>(own);
  V best = V{} - INFINITY, sum[4] = {}, weighted[4] = {};
  typename L::Counts ahead[2] = {};
  for_vectors<T>(from, n, [&](const V(&x)[4]) __attribute__((always_inline)) {
    best = greater_of(greatest_of_four(x), best);
    for (int k = 0; k < 4; ++k) {
      const V distance = greater_of(least, x[k] - most);  // NaN if that is
      if constexpr (kEntropy) {
        L::add_exp(distance, &sum[k], &weighted[k]);
      } else {
        L::add_exp(distance, &sum[k]);
      }
      if constexpr (kAhead != Ahead::kNone) {
        ahead[k & 1] = count(kAhead == Ahead::kGreater ? greater(x[k], mine) : at_least(x[k], mine), ahead[k & 1]);
      }
    }
  });
  const double of_all = L::sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
  const double of_weighted = kEntropy ? L::sum((weighted[0] + weighted[1]) + (weighted[2] + weighted[3])) : 0.0;
  // what fills the last vectors is not less than a target of -inf
  const bool every = kAhead == Ahead::kNotLess && own == -INFINITY;
  return {greatest_lane(best),
          {reference, of_all, of_weighted},
          every ? n : static_cast<int64_t>(sum_of_lanes(ahead[0] + ahead[1]))};
}

// The same for any logits.
template <typename T>
int64_t rank_of(const T* row, int64_t step, int64_t n, double own, int64_t target) {
  int64_t rank = 0;
  for (int64_t i = 0; i < n; ++i) rank += precedes(static_cast<double>(widen(row[i * step])), i, own, target);
  return rank;
}

// Adds n logits to those of a row; returns how many of them come before the target. Once there is NaN or inf, the sums
// are NaN and this number means nothing.
template <bool kEntropy, Ahead kAhead, typename T>
int64_t add_block(const T* from, int64_t n, double own, LogitSums* sums) {
  const bool first = sums->greatest == -INFINITY;
  double reference = first ? greatest_of(from, n) : sums->greatest;
  if (reference == -INFINITY || reference == INFINITY) reference = 0.0;
  Block block = read_block<kEntropy, kAhead>(from, n, reference, own);
  if (block.greatest > reference + (kEntropy ? kExcessOfDistances : kExcess) && block.greatest < INFINITY) {
    block = read_block<kEntropy, kAhead>(from, n, block.greatest, own);
  }
  if (std::isnan(block.sums.sum) || block.greatest == INFINITY) {
    *sums = {kNaN, kNaN, kNaN};
  } else if (block.greatest > -INFINITY) {
    const double greatest = first ? block.greatest : std::max(sums->greatest, block.greatest);
    const LogitSums before = moved(*sums, greatest, library_exp), here = moved(block.sums, greatest, library_exp);
    *sums = {greatest, before.sum + here.sum, before.weighted + here.weighted};
  }
  return block.ahead;
}

template <bool kEntropy, bool kRanks, typename T>
void read_tokens(const TokenRowsBatch& b, int64_t first, int64_t last) {
  constexpr int64_t kBlock = Lanes<T>::kBlock;
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
      if (here) own = widen(row[target * b.a_logit]);
      const double rival = here || b.own == nullptr ? own : b.own[token];
      const bool ranked = kRanks && (here || b.own != nullptr);
      for (int64_t begin = 0, n; begin < v && !std::isnan(sums.greatest); begin += n) {
        n = std::min(begin == 0 && !kEntropy ? std::min(kFirst, kBlock) : kBlock, v - begin);
        const T* block = row + begin;
        if (b.a_logit != 1) {
          for (int64_t i = 0; i < n; ++i) copied[i] = row[(begin + i) * b.a_logit];
          block = copied;
        }
        if (!ranked) {
          add_block<kEntropy, Ahead::kNone>(block, n, own, &sums);
        } else if (target >= begin + n) {
          rank += add_block<kEntropy, Ahead::kNotLess>(block, n, rival, &sums);
        } else {
          rank += add_block<kEntropy, Ahead::kGreater>(block, n, rival, &sums);
          for (int64_t i = begin; i < target; ++i) rank += widen(block[i - begin]) == rival;
        }
      }
      if (ranked && std::isnan(sums.greatest)) rank = rank_of(row, b.a_logit, v, rival, target);
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
