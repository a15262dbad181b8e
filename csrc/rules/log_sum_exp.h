// SPDX-License-Identifier: Apache-2.0
//
// What the logits of a token add up to, of which parts can be put together in any order.

#pragma once

#include <cmath>

#include "rules/macros.h"

namespace fastmetrics {

// Of some of the logits x of a token: the greatest, m; the sums of exp(x - m) and of exp(x - m) (x - m). Without any,
// or with none but -inf, m is -inf and the sums are 0.
struct LogitSums {
  double greatest = -INFINITY, sum = 0.0, weighted = 0.0;
};

// Takes the sums relative to a greatest logit that is not less.
template <typename Exp>
FM_HD LogitSums moved(const LogitSums& of, double greatest, Exp exp) {
  if (of.sum == 0.0 || of.greatest == greatest) return {greatest, of.sum, of.weighted};
  const double shift = of.greatest - greatest, factor = exp(shift);
  // where the factor vanishes, the shift may be infinite
  return {greatest, of.sum * factor, factor == 0.0 ? 0.0 : (of.weighted + of.sum * shift) * factor};
}

// Of all logits of both. NaN is not looked for.
template <typename Exp>
FM_HD LogitSums merged(const LogitSums& a, const LogitSums& b, Exp exp) {
  const double greatest = a.greatest < b.greatest ? b.greatest : a.greatest;
  const LogitSums x = moved(a, greatest, exp), y = moved(b, greatest, exp);
  return {greatest, x.sum + y.sum, x.weighted + y.weighted};
}

}  // namespace fastmetrics
