// SPDX-License-Identifier: Apache-2.0
//
// The values pass on the CPU; its meaning is values_body in fastmetrics/passes/values.py.
//
// Sums are float64. The batch is cut into a number of parts that depends on its size alone, a part is summed in lanes
// in a fixed order, and the parts are added in order: the same data gives the same bits for any number of threads.

#include "common/cpu.h"
#include "common/operator.h"
#include "common/real.h"
#include "passes/values_arguments.h"

namespace fastmetrics {
namespace {

constexpr int kLanes = 32;
constexpr int64_t kMostParts = 256;
constexpr int64_t kSmallestPart = 4096;  // values
constexpr int kBlock = 512;
constexpr int64_t kChunk = 4096;  // values that are looked at again if one is NaN

using Batch = ValuesBatch;

// Sixteen values as doubles; exact.
template <typename T>
inline void load16(const T* from, F64x8* a, F64x8* b) {
  if constexpr (std::is_same_v<T, double>) {
    *a = load<F64x8>(from);
    *b = load<F64x8>(from + 8);
  } else {
    using F32x8 = float __attribute__((vector_size(32)));
    F32x8 half[2];
    const F32x16 all = widen16(from);
    memcpy(half, &all, sizeof(all));
    *a = __builtin_convertvector(half[0], F64x8);
    *b = __builtin_convertvector(half[1], F64x8);
  }
}

// Adds n values, a multiple of 32, that count 1 each. Where there is none, a look for NaN costs nothing: it leaves its
// mark on the sum. Returns whether there may be any; `to` is then as it was.
template <bool kSums, bool kExtremes, typename T>
bool add_plain(const T* x, int64_t n, Extent* to) {
  F64x8 sum[4] = {}, low[4], high[4];
  I64x8 nan = {};
  for (int k = 0; k < 4; ++k) {
    low[k] = to->low - F64x8{};
    high[k] = to->high - F64x8{};
  }
  for (int64_t i = 0; i < n; i += kLanes) {
    F64x8 v[4];
    load16(x + i, &v[0], &v[1]);
    load16(x + i + 16, &v[2], &v[3]);
    for (int k = 0; k < 4; ++k) {
      if (kSums) sum[k] += v[k];
      if (kExtremes) {
        low[k] = v[k] < low[k] ? v[k] : low[k];
        high[k] = v[k] > high[k] ? v[k] : high[k];
        if (!kSums) nan |= v[k] != v[k];
      }
    }
  }
  const F64x8 sums = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  double total = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  int64_t marks = total != total;
  for (int j = 0; j < 8; ++j) marks |= nan[j];
  if (marks != 0) return true;
  to->sum += total;
  to->weight += static_cast<double>(n);
  if (kExtremes) {
    for (int k = 0; k < 4; ++k) {
      for (int j = 0; j < 8; ++j) {
        to->low = lesser(low[k][j], to->low);
        to->high = greater(high[k][j], to->high);
      }
    }
  }
  return false;
}

// The same with each NaN taken as the rule says; returns whether there was any. Without one the bits are the same.
template <bool kSums, bool kExtremes, typename T>
bool add_replacing(const T* x, int64_t n, const NanRule& rule, Extent* to) {
  F64x8 sum[4] = {}, low[4], high[4];
  I64x8 nans = {};  // less than none
  const F64x8 product = F64x8{} + rule.product, as_low = F64x8{} + rule.low, as_high = F64x8{} + rule.high;
  for (int k = 0; k < 4; ++k) {
    low[k] = F64x8{} + to->low;
    high[k] = F64x8{} + to->high;
  }
  for (int64_t i = 0; i < n; i += kLanes) {
    F64x8 v[4];
    load16(x + i, &v[0], &v[1]);
    load16(x + i + 16, &v[2], &v[3]);
    for (int k = 0; k < 4; ++k) {
      const I64x8 nan = v[k] != v[k];
      nans += nan;
      if (kSums) sum[k] += nan ? product : v[k];
      if (kExtremes) {
        const F64x8 a = nan ? as_low : v[k], b = nan ? as_high : v[k];
        low[k] = a < low[k] ? a : low[k];
        high[k] = b > high[k] ? b : high[k];
      }
    }
  }
  const F64x8 sums = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  to->sum += ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
  int64_t found = 0;
  for (int j = 0; j < 8; ++j) found -= nans[j];
  to->nans += found;
  to->weight += static_cast<double>(n - found) + rule.weight * static_cast<double>(found);
  if (kExtremes) {
    for (int k = 0; k < 4; ++k) {
      for (int j = 0; j < 8; ++j) {
        to->low = lesser(low[k][j], to->low);
        to->high = greater(high[k][j], to->high);
      }
    }
  }
  return found != 0;
}

// What of an Extent is wanted; the rest is left as it is. Weights are those of the values that are no NaN, and each
// value's own only if kWeights.
template <bool kKeep, bool kSums, bool kExtremes, bool kWeights, typename T>
void add_lanes(const T* x, const double* weights, int64_t n, const NanRule& rule, Extent* to) {
  double sum[kLanes] = {}, weight[kLanes] = {}, low[kLanes], high[kLanes];
  int64_t nans[kLanes] = {};
  for (int j = 0; j < kLanes; ++j) {
    low[j] = to->low;
    high[j] = to->high;
  }
  auto add = [&](int64_t i, int j) __attribute__((always_inline)) {
    const double v = static_cast<double>(widen(x[i])), w = kWeights ? weights[i] : 1.0;
    const bool nan = !kKeep && ((v != v) | (w != w));
    if (kSums) sum[j] += nan ? rule.product : (kWeights ? v * w : v);
    if (kSums && kWeights) weight[j] += nan ? rule.weight : w;
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
  to->weight += kWeights ? weight[0] : static_cast<double>(n - nans[0]) + rule.weight * static_cast<double>(nans[0]);
  to->low = low[0];
  to->high = high[0];
  to->nans += nans[0];
}

enum Wanted { kOnlySums, kOnlyExtremes, kAll };

template <typename T>
void add_neighbours(const T* x, const double* weights, int64_t n, const NanRule& rule, Wanted wanted, Extent* to) {
  auto with_wanted = [&](auto keep, auto weighted) {
    constexpr bool kKeep = decltype(keep)::value, kWeights = decltype(weighted)::value;
    if (wanted == kOnlySums) {
      add_lanes<kKeep, true, false, kWeights>(x, weights, n, rule, to);
    } else if (wanted == kOnlyExtremes) {
      add_lanes<kKeep, false, true, kWeights>(x, weights, n, rule, to);
    } else {
      add_lanes<kKeep, true, true, kWeights>(x, weights, n, rule, to);
    }
  };
  auto with_keep = [&](auto weighted) {
    if (rule.keep) {
      with_wanted(std::true_type{}, weighted);
    } else {
      with_wanted(std::false_type{}, weighted);
    }
  };
  if constexpr (std::is_same_v<T, double>) {  // weights come beside doubles only, see add_run
    if (weights != nullptr) return with_keep(std::true_type{});
  }
  with_keep(std::false_type{});
}

// Values that count 1 each.
template <typename T>
void add_unweighted(const T* x, int64_t n, const NanRule& rule, Wanted wanted, Extent* to) {
  bool expected = false;  // NaNs
  for (int64_t i = 0; i < n; i += kChunk) {
    const int64_t m = std::min(kChunk, n - i), whole = m / kLanes * kLanes;
    auto add_whole = [&](auto sums, auto extremes) {
      constexpr bool kSums = decltype(sums)::value, kExtremes = decltype(extremes)::value;
      // where there were some there are more, and looking for them first would be another look
      if (!expected && !add_plain<kSums, kExtremes>(x + i, whole, to)) return whole;
      if (rule.keep) return int64_t{0};
      expected = add_replacing<kSums, kExtremes>(x + i, whole, rule, to);
      return whole;
    };
    int64_t done = 0;
    if (whole > 0) {
      done = wanted == kOnlySums       ? add_whole(std::true_type{}, std::false_type{})
             : wanted == kOnlyExtremes ? add_whole(std::false_type{}, std::true_type{})
                                       : add_whole(std::true_type{}, std::true_type{});
    }
    if (done < m) add_neighbours(x + i + done, nullptr, m - done, rule, wanted, to);
  }
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
      add_neighbours(x, w, m, b.nans, wanted, to);
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

void values_cpu(View values, OptionalView weights, OptionalView valid, OptionalState sum, OptionalState weight,
                OptionalState minimum, OptionalState maximum, OptionalState faults, int64_t nans, double replacement) {
  const Batch b = values_batch(values, weights, valid, nans, replacement);
  const ValuesStates states = values_states(sum, weight, minimum, maximum, faults, nans);
  const int64_t n = b.layout.samples();
  if (n == 0) return;
  const bool sums = states.sum != nullptr || states.weight != nullptr;
  const bool extremes = states.minimum != nullptr || states.maximum != nullptr;
  const Wanted wanted = sums && extremes ? kAll : extremes ? kOnlyExtremes : kOnlySums;
  const int64_t parts = std::max<int64_t>(1, std::min(kMostParts, n / kSmallestPart));
  if (parts == 1) return states.add(add_part(b, 0, n, wanted));
  const int64_t per_part = (n + parts - 1) / parts;
  std::vector<Extent> partial(parts);
  split(parts, threads_for(n), [&](int, int64_t first, int64_t last) {
    for (int64_t part = first; part < last; ++part) {
      partial[part] = add_part(b, std::min(n, part * per_part), std::min(n, (part + 1) * per_part), wanted);
    }
  });
  Extent all;
  for (const Extent& of_part : partial) all.add(of_part);
  states.add(all);
}

}  // namespace
}  // namespace fastmetrics

FM_CPU_OPERATOR("values_", &fastmetrics::values_cpu)
