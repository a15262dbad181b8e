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

// Of one output, where the pairs of a run are: offset of the first and distance.
struct PairsRun {
  int64_t a, a_step, b, b_step, c, c_step, d, d_step;
};

// Leaves the pairs that are counted; place_of(i) is the place of pair i in the batch.
template <typename F>
void drop(const PairsBatch& b, const PairsRun& run, int64_t from, PairsBlock* block, Faults* faults,
          const F& place_of) {
  int kept = 0;
  for (int i = 0; i < block->n; ++i) {
    if (b.valid != nullptr && !b.valid[run.c + (from + i) * run.c_step]) continue;
    if (b.weights != nullptr) {
      const double weight = b.weights[run.d + (from + i) * run.d_step];
      if (!faults->check_weight(weight, place_of(i)) || weight == 0.0) continue;
      block->weight[kept] = weight;
    }
    block->x[kept] = block->x[i];
    block->y[kept] = block->y[i];
    block->place[kept] = i;
    ++kept;
  }
  block->n = kept;
}

// f(run, first pair, how many, output) for the runs of pairs [begin, end) of every output. Rows of many outputs are
// read a few at a time, so that neighbouring outputs are found in the cache.
template <typename F>
void for_each_run(const PairsBatch& b, int64_t begin, int64_t end, const F& f) {
  const Layout& layout = b.layout;
  const int last = layout.dims - 1;
  while (begin < end) {
    PairsRun run{0, layout.a_stride[last], 0, layout.b_stride[last],
                 0, layout.c_stride[last], 0, layout.d_stride[last]};
    int64_t n = std::min(layout.locate(begin, &run.a, &run.b), end - begin);
    if (b.valid != nullptr) run.c = layout.offset(begin, layout.c_stride);
    if (b.weights != nullptr) run.d = layout.offset(begin, layout.d_stride);
    if (b.outputs > 1) n = std::min(n, std::max<int64_t>(32, 4096 / b.outputs));
    for (int64_t d = 0; d < b.outputs; ++d) {
      f(run, begin, n, d);
      run.a += b.a_output;
      run.b += b.b_output;
      run.c += b.c_output;
      run.d += b.d_output;
    }
    begin += n;
  }
}

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

// The errors of one kind of the pairs of a block, to its `value`.
inline void find_errors(int kind, double p, PairsBlock* block) {
  const double *x = block->x, *y = block->y;
  if (kind == kPoweredError && p >= 1.0 && p <= kMostProducts && p == std::floor(p)) {
    raise_differences(x, y, block->n, static_cast<int>(p), block->value);
    return;
  }
  with_rule(kind, p, [&](auto rule) {
    compute(x, y, block->n, block->value,
            [p](auto a, auto b, auto& math) { return error_of<decltype(rule)::value>(a, b, p, math); });
  });
}

// Which pairs of a block are hits (0), misses (1) or false alarms (2), to its `value`.
inline void find_events(int which, double of_x, double of_y, PairsBlock* block) {
  const double *x = block->x, *y = block->y;
  const bool predicted = which != 1, happened = which != 2;
  for (int i = 0; i < block->n; ++i) {
    block->value[i] = (x[i] >= of_x) == predicted && (y[i] >= of_y) == happened ? 1.0 : 0.0;
  }
}

// The deviances of a block, to its `value`; pairs outside of the domain are told to `outside(i, bad_x, bad_y)` and
// weigh nothing from here on, when the block has weights in any case.
template <typename F>
void find_deviances(const PairsBatch& b, PairsBlock* block, const F& outside) {
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
}

// Extremes, the other errors and events of a block with some pairs.
inline void add_rest(const PairsBatch& b, const PairsStates& s, PairsBlock* block, PairsSums* sums) {
  const int n = block->n;
  const double *y = block->y, *weight = b.weights == nullptr ? nullptr : block->weight;
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
    find_errors(kind, b.p, block);
    sums->errors[kind] += ordered_sum(block->value, weight, n);
  }
  for (int which = 0; s.events != nullptr && which < 3; ++which) {
    find_events(which, b.preds_threshold, b.target_threshold, block);
    sums->events[which] += ordered_sum(block->value, weight, n);
  }
}

// Deviances of a block, see find_deviances.
template <typename F>
void add_deviance(const PairsBatch& b, PairsBlock* block, PairsSums* sums, const F& outside) {
  find_deviances(b, block, outside);
  sums->deviance[0] += ordered_sum(block->value, block->weight, block->n);
  sums->deviance[1] += ordered_sum(block->weight, nullptr, block->n);
}

}  // namespace fastmetrics
