// SPDX-License-Identifier: Apache-2.0
//
// The values pass on the CPU; its meaning is values_body in fastmetrics/passes/values.py.
//
// Sums are float64. The batch is cut into a number of parts that depends on its size alone, a part is summed in lanes
// in a fixed order, and the parts are added in order: the same data gives the same bits for any number of threads.
//
// Values that count 1 each are read once, in their own precision: a NaN is masked out, and what all of them count as is
// added at the end.

#include <cmath>

#include "common/cpu.h"
#include "common/simd.h"
#include "passes/loops_cpu.h"

namespace fastmetrics {
namespace {

constexpr int kLanes = 32;
constexpr int64_t kMostParts = 256;
constexpr int64_t kSmallestPart = 16384;  // values
constexpr int kBlock = 512;

using Batch = ValuesBatch;

// kLanes values, and doubles, in registers.
template <typename T>
using Values = std::conditional_t<sizeof(T) == 8, F64s, F32s>;
constexpr int kOfDoubles = kLanes / kDoubles;

template <typename T>
inline void load_values(const T* from, Values<T>* v) {
  if constexpr (sizeof(T) >= 4) {
    constexpr int kWide = kRegister / sizeof(T);
    for (int k = 0; k < kLanes / kWide; ++k) v[k] = load<Values<T>>(from + kWide * k);
  } else {
    for (int k = 0; k < kLanes / kFloats; ++k) v[k] = widen_floats(from + kFloats * k);
  }
}

inline void add_to(F64s v, F64s* sum) { *sum += v; }
inline void add_to(F32s v, F64s* sum) {
  HalfF32s half[2];
  memcpy(half, &v, sizeof(v));
  sum[0] += as_doubles(half[0]);
  sum[1] += as_doubles(half[1]);
}

// Adds n values that count 1 each. What is not wanted of `to` is left as it is, but for its weight and its NaNs.
template <bool kSums, bool kExtremes, typename T>
void add_unweighted(const T* x, int64_t n, const NanRule& rule, Extent* to) {
  using V = Values<T>;
  using I = decltype(V{} < V{});
  constexpr int kWide = sizeof(V) / sizeof(V{}[0]), kVectors = kLanes / kWide;
  F64s sum[kOfDoubles] = {};
  V low[kVectors], high[kVectors];
  I nans[kVectors] = {};  // less than none
  for (int k = 0; k < kVectors; ++k) {
    low[k] = V{} + static_cast<float>(INFINITY);
    high[k] = -low[k];
  }
  int64_t i = in_streams(n, kLanes, [&](int64_t begin) __attribute__((always_inline)) {
    V v[kVectors];
    fetch_ahead(x + begin, kLanes);
    load_values(x + begin, v);
    for (int k = 0; k < kVectors; ++k) {
      const I nan = v[k] != v[k];
      nans[k] += nan;
      if (kExtremes) {  // NaN is neither less nor greater
        low[k] = v[k] < low[k] ? v[k] : low[k];
        high[k] = v[k] > high[k] ? v[k] : high[k];
      }
      if (kSums) add_to(nan ? V{} : v[k], &sum[kOfDoubles / kVectors * k]);
    }
  });
  Extent all;
  for (int k = 1; k < kVectors; ++k) {
    nans[0] += nans[k];
    low[0] = low[k] < low[0] ? low[k] : low[0];
    high[0] = high[k] > high[0] ? high[k] : high[0];
  }
  for (int j = 0; j < kWide; ++j) {
    all.nans -= nans[0][j];
    if (!kExtremes) continue;
    all.low = lesser(low[0][j], all.low);
    all.high = greater(high[0][j], all.high);
  }
  double lanes[kLanes];
  memcpy(lanes, sum, sizeof(lanes));
  if (kSums) all.sum = sum_of_lanes<kLanes>(lanes);
  all.weight = static_cast<double>(i - all.nans);
  if (all.nans != 0) {
    all.sum += rule.product * static_cast<double>(all.nans);
    all.weight += rule.weight * static_cast<double>(all.nans);
    all.low = lesser(rule.low, all.low);
    all.high = greater(rule.high, all.high);
  }
  to->add(all);
  for (; i < n; ++i) to->add(static_cast<double>(widen(x[i])), 1.0, rule);
}

// Adds n values with their weights; of the rest of `to`, see above.
template <bool kKeep, bool kSums, bool kExtremes>
void add_weighted(const double* x, const double* weights, int64_t n, const NanRule& rule, Extent* to) {
  double sum[kLanes] = {}, weight[kLanes] = {}, low[kLanes], high[kLanes];
  int64_t nans[kLanes] = {};
  for (int j = 0; j < kLanes; ++j) {
    low[j] = to->low;
    high[j] = to->high;
  }
  auto add = [&](int64_t i, int j) __attribute__((always_inline)) {
    const double v = x[i], w = weights[i];
    const bool nan = !kKeep && ((v != v) | (w != w));
    if (kSums) {
      sum[j] += nan ? rule.product : v * w;
      weight[j] += nan ? rule.weight : w;
    }
    if (kExtremes) {
      const double a = nan ? rule.low : v, b = nan ? rule.high : v;
      low[j] = (a < low[j]) | (kKeep && a != a) ? a : low[j];
      high[j] = (b > high[j]) | (kKeep && b != b) ? b : high[j];
    }
    if (!kKeep) nans[j] += nan ? 1 : 0;
  };
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) add(i + j, j);
  }
  for (int j = 0; i < n; ++i, ++j) add(i, j);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) {
      sum[j] += sum[j + width];
      weight[j] += weight[j + width];
      low[j] = lesser(low[j + width], low[j]);
      high[j] = greater(high[j + width], high[j]);
      nans[j] += nans[j + width];
    }
  }
  to->sum += sum[0];
  to->weight += weight[0];
  to->low = low[0];
  to->high = high[0];
  to->nans += nans[0];
}

enum class Wanted { kSums, kExtremes, kBoth };

// Calls f(sums, extremes) with what is wanted as constants.
template <typename F>
void with_wanted(Wanted wanted, const F& f) {
  switch (wanted) {
    case Wanted::kSums:
      return f(std::true_type{}, std::false_type{});
    case Wanted::kExtremes:
      return f(std::false_type{}, std::true_type{});
    case Wanted::kBoth:
      return f(std::true_type{}, std::true_type{});
  }
}

template <typename T>
void add_unweighted(const T* x, int64_t n, const NanRule& rule, Wanted wanted, Extent* to) {
  with_wanted(wanted, [&](auto sums, auto extremes) {
    add_unweighted<decltype(sums)::value, decltype(extremes)::value>(x, n, rule, to);
  });
}

void add_weighted(const double* x, const double* weights, int64_t n, const NanRule& rule, Wanted wanted, Extent* to) {
  with_wanted(wanted, [&](auto sums, auto extremes) {
    constexpr bool kSums = decltype(sums)::value, kExtremes = decltype(extremes)::value;
    if (rule.keep) {
      add_weighted<true, kSums, kExtremes>(x, weights, n, rule, to);
    } else {
      add_weighted<false, kSums, kExtremes>(x, weights, n, rule, to);
    }
  });
}

// The n values of one run.
void add_run(const Batch& b, int64_t values_at, int64_t weights_at, int64_t valid_at, int64_t n, Wanted wanted,
             Extent* to) {
  const int last = b.layout.dims - 1;
  const int64_t step = b.layout.a_stride[last];
  if (step == 1 && b.weights == nullptr && b.valid == nullptr && is_floating(b.values_type)) {
    with_score_type(b.values_type, [&](auto t) {
      add_unweighted(static_cast<const decltype(t)*>(b.values) + values_at, n, b.nans, wanted, to);
    });
    return;
  }
  const int64_t weights_step = b.layout.b_stride[last], valid_step = b.layout.c_stride[last];
  double x[kBlock], w[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    int m = static_cast<int>(std::min<int64_t>(kBlock, n - i));
    to_doubles(b.values, b.values_type, values_at + i * step, step, m, x);
    if (b.weights != nullptr) {
      to_doubles(b.weights, b.weights_type, weights_at + i * weights_step, weights_step, m, w);
    }
    if (b.valid != nullptr) {  // close the gaps
      int kept = 0;
      for (int j = 0; j < m; ++j) {
        x[kept] = x[j];
        if (b.weights != nullptr) w[kept] = w[j];
        kept += b.valid[valid_at + (i + j) * valid_step];
      }
      m = kept;
    }
    if (b.weights == nullptr) {
      add_unweighted(x, m, b.nans, wanted, to);
    } else {
      add_weighted(x, w, m, b.nans, wanted, to);
    }
  }
}

Extent add_part(const Batch& b, int64_t begin, int64_t end, Wanted wanted) {
  Extent of_part;
  while (begin < end) {
    int64_t values_at, weights_at;
    const int64_t n = std::min(b.layout.locate(begin, &values_at, &weights_at), end - begin);
    const int64_t valid_at = b.valid == nullptr ? 0 : b.layout.offset(begin, b.layout.c_stride);
    add_run(b, values_at, weights_at, valid_at, n, wanted, &of_part);
    begin += n;
  }
  return of_part;
}

}  // namespace

void add_values(const ValuesBatch& b, const ValuesStates& s) {
  const int64_t n = b.layout.samples();
  if (n == 0) return;
  const bool sums = s.sum != nullptr || s.weight != nullptr;
  const bool extremes = s.minimum != nullptr || s.maximum != nullptr;
  const Wanted wanted = sums && extremes ? Wanted::kBoth : extremes ? Wanted::kExtremes : Wanted::kSums;
  const Parts parts(n, std::min(kMostParts, n / kSmallestPart));
  if (parts.count == 1) return s.add(add_part(b, 0, n, wanted));
  std::vector<Extent> partial(parts.count);
  parts.for_each(threads_for(n),
                 [&](int64_t part, int64_t begin, int64_t end) { partial[part] = add_part(b, begin, end, wanted); });
  Extent all;
  for (const Extent& of_part : partial) all.add(of_part);
  s.add(all);
}

}  // namespace fastmetrics
