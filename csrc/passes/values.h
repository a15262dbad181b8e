// SPDX-License-Identifier: Apache-2.0
//
// What the loops of the values pass are given, on every device. The meaning is values_body in
// fastmetrics/passes/values.py.

#pragma once

#include "common/dtype.h"
#include "common/faults.h"
#include "common/layout.h"
#include "rules/extent.h"

namespace fastmetrics {

struct ValuesBatch {
  const void* values;  // any shape
  DType values_type;
  const void* weights;  // same shape, or null: each value has the weight 1
  DType weights_type;
  const bool* valid;  // same shape, or null: all values are
  Layout layout;      // a: values, b: weights, c: valid
  NanRule nans;
};

// Float64 [] each and the record of faults; null where it was not asked for.
struct ValuesStates {
  double *sum, *weight, *minimum, *maximum;
  int64_t* faults;  // only of NaNs that were dropped

  FM_HD void add(const Extent& batch) const {
    if (sum != nullptr) *sum += batch.sum;
    if (weight != nullptr) *weight += batch.weight;
    if (minimum != nullptr) *minimum = lesser(batch.low, *minimum);
    if (maximum != nullptr) *maximum = greater(batch.high, *maximum);
    if (faults != nullptr) faults[2 * kBadPreds] += batch.nans;
  }
};

}  // namespace fastmetrics
