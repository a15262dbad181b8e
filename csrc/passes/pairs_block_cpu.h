// SPDX-License-Identifier: Apache-2.0
//
// What the pairs pass on the CPU sums of a run of pairs.
//
// A sum has kLanes lanes, which are added in a fixed order. Moments and the two usual errors are read straight from
// the inputs; all other sums from a block of pairs that was widened to double first, one rule after another, since a
// loop of one rule vectorises and the block stays in the cache.

#pragma once

#include <cmath>

#include "common/cpu.h"
#include "common/math_cpu.h"
#include "passes/pairs.h"

namespace fastmetrics {

constexpr int kLanes = 16;
constexpr int kBlock = 512;
constexpr int kPilot = 64;  // pairs whose mean is the pilot

// One part of a batch, for one output. Its moments are in `shifted` until it is complete.
struct PairsPart {
  ShiftedSums shifted;
  bool started = false;
  PairsSums sums;
};

// A block of pairs, widened; those that are not counted are left out.
struct PairsBlock {
  int n = 0;
  double x[kBlock], y[kBlock], weight[kBlock], value[kBlock];
  int place[kBlock];  // among the pairs of the run
};

// weight: null if all are 1.
inline double ordered_sum(const double* value, const double* weight, int n) {
  double lanes[kLanes] = {};
  int i = 0;
  if (weight == nullptr) {
    for (; i + kLanes <= n; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) lanes[j] += value[i + j];
    }
    for (int j = 0; i < n; ++i, ++j) lanes[j] += value[i];
  } else {
    for (; i + kLanes <= n; i += kLanes) {
      for (int j = 0; j < kLanes; ++j) lanes[j] += weight[i + j] * value[i + j];
    }
    for (int j = 0; i < n; ++i, ++j) lanes[j] += weight[i] * value[i];
  }
  return sum_of_lanes<kLanes>(lanes);
}

inline F64s absolute(F64s value) { return (F64s)((I64s)value & INT64_MAX); }
inline double absolute(double value) { return std::fabs(value); }

// Sums of moments, squared and absolute errors; of one lane, or as many as a register has.
template <typename V, bool kMoments, bool kSquared, bool kAbsolute>
struct Simple {
  V squared{}, absolute_{}, n{}, x{}, y{}, xx{}, yy{}, xy{};

  template <bool kWeighted>
  void add(V u, V v, V weight, double pilot_x, double pilot_y) {
    const V d = u - v;
    if (kSquared) squared += kWeighted ? weight * (d * d) : d * d;
    if (kAbsolute) absolute_ += kWeighted ? weight * absolute(d) : absolute(d);
    if (!kMoments) return;
    const V dx = u - pilot_x, dy = v - pilot_y;
    const V wx = kWeighted ? weight * dx : dx, wy = kWeighted ? weight * dy : dy;
    if (kWeighted) n += weight;
    x += wx;
    y += wy;
    xx += wx * dx;
    yy += wy * dy;
    xy += wx * dy;
  }
};

// Chooses the pilot: the mean of the first pairs. Taken from the first of them, it is exact for constant inputs.
template <typename T>
void start(const T* x, const T* y, const double* weight, int64_t n, ShiftedSums* sums) {
  const double first_x = widen(x[0]), first_y = widen(y[0]);
  double total = 0.0, of_x = 0.0, of_y = 0.0;
  for (int64_t i = 0; i < std::min<int64_t>(n, kPilot); ++i) {
    const double w = weight == nullptr ? 1.0 : weight[i];
    total += w;
    of_x += w * (widen(x[i]) - first_x);
    of_y += w * (widen(y[i]) - first_y);
  }
  sums->start(first_x + of_x / total, first_y + of_y / total);
}

// n > 0 neighbours. weight: null unless kWeighted.
template <bool kMoments, bool kSquared, bool kAbsolute, bool kWeighted, typename T>
void add_simple(const T* x, const T* y, const double* weight, int64_t n, PairsPart* part) {
  if (kMoments && !part->started) {
    start(x, y, weight, n, &part->shifted);
    part->started = true;
  }
  const double pilot_x = part->shifted.pilot_x, pilot_y = part->shifted.pilot_y;
  using Lanes = Simple<F64s, kMoments, kSquared, kAbsolute>;
  // two, as an addition takes some steps; one, where there are many sums and few registers
  constexpr int kVectors = kMoments && kRegister < 64 ? 1 : 2;
  Lanes sums[kVectors];
  int64_t i = in_streams(n, kLanes, [&](int64_t begin) __attribute__((always_inline)) {
    fetch_ahead(x + begin, kLanes);
    fetch_ahead(y + begin, kLanes);
    for (int64_t at = begin; at < begin + kLanes; at += kVectors * kDoubles) {
      for (int k = 0; k < kVectors; ++k) {
        const F64s w = kWeighted ? widen_doubles(weight + at + k * kDoubles) : F64s{};
        sums[k].template add<kWeighted>(widen_doubles(x + at + k * kDoubles), widen_doubles(y + at + k * kDoubles), w,
                                        pilot_x, pilot_y);
      }
    }
  });
  Simple<double, kMoments, kSquared, kAbsolute> rest;
  for (; i < n; ++i) {
    const double w = kWeighted ? weight[i] : 1.0;
    rest.template add<kWeighted>(widen(x[i]), widen(y[i]), w, pilot_x, pilot_y);
  }
  auto total = [&](auto of) {
    double lanes[kVectors * kDoubles];
    for (int k = 0; k < kVectors; ++k) memcpy(lanes + k * kDoubles, &(sums[k].*of), sizeof(F64s));
    return sum_of_lanes<kVectors * kDoubles>(lanes);
  };
  if (kSquared) part->sums.errors[kSquaredError] += total(&Lanes::squared) + rest.squared;
  if (kAbsolute) part->sums.errors[kAbsoluteError] += total(&Lanes::absolute_) + rest.absolute_;
  if (!kMoments) return;
  ShiftedSums& to = part->shifted;
  to.n += kWeighted ? total(&Lanes::n) + rest.n : static_cast<double>(n);
  to.x += total(&Lanes::x) + rest.x;
  to.y += total(&Lanes::y) + rest.y;
  to.xx += total(&Lanes::xx) + rest.xx;
  to.yy += total(&Lanes::yy) + rest.yy;
  to.xy += total(&Lanes::xy) + rest.xy;
}

template <typename T>
void add_simple(const PairsStates& s, const T* x, const T* y, const double* weight, int64_t n, PairsPart* part) {
  auto with = [](bool flag, auto f) { flag ? f(std::true_type{}) : f(std::false_type{}); };
  with(s.moments != nullptr, [&](auto moments) {
    with(s.errors[kSquaredError] != nullptr, [&](auto squared) {
      with(s.errors[kAbsoluteError] != nullptr, [&](auto absolute) {
        constexpr bool kMoments = decltype(moments)::value, kSquared = decltype(squared)::value,
                       kAbsolute = decltype(absolute)::value;
        if constexpr (kMoments || kSquared || kAbsolute) {
          if constexpr (std::is_same<T, double>::value) {  // weights come with a block
            if (weight != nullptr) return add_simple<kMoments, kSquared, kAbsolute, true>(x, y, weight, n, part);
          }
          add_simple<kMoments, kSquared, kAbsolute, false>(x, y, nullptr, n, part);
        }
      });
    });
  });
}

// |x - y| to the power p > 0, by squaring from the highest bit on.
inline void raise_differences(const double* x, const double* y, int n, int p, double* values) {
  for (int i = 0; i < n; ++i) values[i] = std::fabs(x[i] - y[i]);
  int bit = 1;
  while (bit <= p / 2) bit *= 2;
  for (bit /= 2; bit > 0; bit /= 2) {
    const bool odd = (p & bit) != 0;
    for (int i = 0; i < n; ++i) values[i] *= odd ? values[i] * std::fabs(x[i] - y[i]) : values[i];
  }
}

constexpr int kMostProducts = 64;  // the greatest whole exponent whose powers are products

// Extremes, the other errors and events of a block with some pairs.
inline void add_rest(const PairsBatch& b, const PairsStates& s, PairsBlock* block, PairsSums* sums) {
  const int n = block->n;
  const double *x = block->x, *y = block->y, *weight = b.weights == nullptr ? nullptr : block->weight;
  double* value = block->value;
  if (s.extremes != nullptr) {
    double low = y[0], high = y[0];
    for (int i = 0; i < n; ++i) {
      low = y[i] < low || y[i] != y[i] ? y[i] : low;  // NaN stays, as no comparison with it holds
      high = y[i] > high || y[i] != y[i] ? y[i] : high;
    }
    const double of_block[] = {1.0, low, high};
    add_extremes(of_block, sums->extremes);
  }
  for (int kind = kSquaredLogError; kind < kErrorKinds; ++kind) {
    if (s.errors[kind] == nullptr) continue;
    const double p = b.p;
    if (kind == kPoweredError && p >= 1.0 && p <= kMostProducts && p == std::floor(p)) {
      raise_differences(x, y, n, static_cast<int>(p), value);
    } else {
      with_rule(kind, p, [&](auto rule) {
        compute(x, y, n, value,
                [p](auto a, auto b, auto& math) { return error_of<decltype(rule)::value>(a, b, p, math); });
      });
    }
    sums->errors[kind] += ordered_sum(value, weight, n);
  }
  if (s.events != nullptr) {
    const double of_x = b.preds_threshold, of_y = b.target_threshold;
    for (int which = 0; which < 3; ++which) {
      const bool predicted = which != 1, happened = which != 2;
      for (int i = 0; i < n; ++i) value[i] = (x[i] >= of_x) == predicted && (y[i] >= of_y) == happened ? 1.0 : 0.0;
      sums->events[which] += ordered_sum(value, weight, n);
    }
  }
}

// Deviances of a block; pairs outside of the domain are told to `outside(i, bad_x, bad_y)` and weigh nothing here.
template <typename F>
void add_deviance(const PairsBatch& b, PairsBlock* block, PairsSums* sums, const F& outside) {
  const int n = block->n;
  const double power = b.power;
  double* weight = block->weight;  // nobody reads it after this
  if (b.weights == nullptr) std::fill_n(weight, n, 1.0);
  uint64_t any_bad = 0;
  for (int i = 0; i < n; ++i) {
    any_bad |= outside_of_preds(block->x[i], power) | outside_of_target(block->y[i], power);
  }
  for (int i = 0; any_bad != 0 && i < n; ++i) {
    const bool bad_x = outside_of_preds(block->x[i], power), bad_y = outside_of_target(block->y[i], power);
    if (!bad_x && !bad_y) continue;
    outside(i, bad_x, bad_y);
    block->x[i] = block->y[i] = 1.0;
    weight[i] = 0.0;
  }
  with_form(power, [&](auto form) {
    compute(block->x, block->y, n, block->value,
            [power](auto x, auto y, auto& math) { return deviance_of<decltype(form)::value>(x, y, power, math); });
  });
  sums->deviance[0] += ordered_sum(block->value, weight, n);
  sums->deviance[1] += ordered_sum(weight, nullptr, n);
}

}  // namespace fastmetrics
