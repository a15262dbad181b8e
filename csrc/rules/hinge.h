// SPDX-License-Identifier: Apache-2.0
//
// The hinge loss of a margin, and when scores are logits.

#pragma once

#include "rules/macros.h"

namespace fastmetrics {

// max(0, 1 - margin), or its square; NaN stays NaN.
FM_HD double hinge_of(double margin, bool squared) {
  const double loss = 1.0 - margin;
  if (loss <= 0.0) return 0.0;
  return squared ? loss * loss : loss;
}

// Whether a score can be no probability.
template <typename T>
FM_HD bool is_outside(T x) {
  return !(x >= T(0) && x <= T(1));
}

}  // namespace fastmetrics
