// SPDX-License-Identifier: Apache-2.0
//
// The hinge loss of a margin, and when scores are logits.

#pragma once

#include "rules/macros.h"

namespace fastmetrics {

// max(0, 1 - margin), or its square; NaN stays NaN. Of a double, or of a vector of them.
template <typename V>
FM_HD V hinge_of(V margin, bool squared) {
  V loss = 1.0 - margin;
  loss = loss <= 0.0 ? V{} : loss;
  return squared ? loss * loss : loss;
}

// Whether a score can be no probability.
template <typename T>
FM_HD bool is_outside(T x) {
  return !(x >= T(0) && x <= T(1));
}

}  // namespace fastmetrics
