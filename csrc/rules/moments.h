// SPDX-License-Identifier: Apache-2.0
//
// Moments of pairs, and how two sets of them become one (Chan, Golub, LeVeque 1983). The rounding of a merge is that of
// separate operations, so that every device and merge_moments in fastmetrics/passes/pairs.py agree on each bit.

#pragma once

#include "rules/macros.h"

namespace fastmetrics {

// A product that no compiler fuses with the sum that it goes into.
FM_HD double rounded_product(double a, double b) {
#ifdef __CUDA_ARCH__
  return __dmul_rn(a, b);
#else
  double product = a * b;
  asm("" : "+m"(product));
  return product;
#endif
}

// As a state holds them, float64 [6].
struct Moments {
  double n = 0.0;  // weight of all pairs
  double mean_x = 0.0, mean_y = 0.0;
  double xx = 0.0, yy = 0.0, xy = 0.0;  // sums of products of deviations from the means
};

// state: float64 [6].
FM_HD Moments moments_at(const double* state) { return {state[0], state[1], state[2], state[3], state[4], state[5]}; }

FM_HD void store(const Moments& m, double* state) {
  state[0] = m.n;
  state[1] = m.mean_x;
  state[2] = m.mean_y;
  state[3] = m.xx;
  state[4] = m.yy;
  state[5] = m.xy;
}

FM_HD Moments merged(const Moments& a, const Moments& b) {
  if (b.n == 0.0) return a;
  if (a.n == 0.0) return b;
  const double n = a.n + b.n, share = b.n / n, common = rounded_product(a.n, share);
  const double dx = b.mean_x - a.mean_x, dy = b.mean_y - a.mean_y;
  Moments m;
  m.n = n;
  m.mean_x = a.mean_x + rounded_product(dx, share);
  m.mean_y = a.mean_y + rounded_product(dy, share);
  m.xx = (a.xx + b.xx) + rounded_product(rounded_product(dx, dx), common);
  m.yy = (a.yy + b.yy) + rounded_product(rounded_product(dy, dy), common);
  m.xy = (a.xy + b.xy) + rounded_product(rounded_product(dx, dy), common);
  return m;
}

// Adds extremes to those of a state, both float64 [3]: whether there is any value, the least and the greatest. NaN
// stays.
FM_HD void add_extremes(const double* from, double* to) {
  if (from[0] == 0.0) return;
  const bool first = to[0] == 0.0;
  if (first || from[1] < to[1] || from[1] != from[1]) to[1] = from[1];
  if (first || from[2] > to[2] || from[2] != from[2]) to[2] = from[2];
  to[0] = 1.0;
}

// Sums of one read, of distances from a pilot that is near the mean: what an offset of the data would cost is gone
// before anything is squared.
struct ShiftedSums {
  double pilot_x = 0.0, pilot_y = 0.0;
  double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, yy = 0.0, xy = 0.0;

  FM_HD void start(double at_x, double at_y) {
    pilot_x = at_x - at_x == 0.0 ? at_x : 0.0;  // infinity and NaN are no pilots
    pilot_y = at_y - at_y == 0.0 ? at_y : 0.0;
  }

  FM_HD void add(double at_x, double at_y, double weight) {
    const double dx = at_x - pilot_x, dy = at_y - pilot_y, wx = weight * dx, wy = weight * dy;
    n += weight;
    x += wx;
    y += wy;
    xx += wx * dx;
    yy += wy * dy;
    xy += wx * dy;
  }

  FM_HD Moments moments() const {
    if (n == 0.0) return {};
    Moments m;
    const double of_x = x / n, of_y = y / n;
    m.n = n;
    m.mean_x = pilot_x + of_x;
    m.mean_y = pilot_y + of_y;
    m.xx = xx - x * of_x;
    m.yy = yy - y * of_y;
    m.xy = xy - x * of_y;
    if (m.xx < 0.0) m.xx = 0.0;
    if (m.yy < 0.0) m.yy = 0.0;
    return m;
  }

  // The same, but NaN where a mean is not finite, as deviations from that are.
  FM_HD Moments moments_or_nan() const {
    Moments m = moments();
    const double of_x = m.mean_x - m.mean_x, of_y = m.mean_y - m.mean_y;
    m.xx += of_x;
    m.yy += of_y;
    m.xy += of_x + of_y;
    return m;
  }
};

}  // namespace fastmetrics
