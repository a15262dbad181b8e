// SPDX-License-Identifier: Apache-2.0
//
// Elements of any real type as doubles; only integers beyond 2^53 round.

#pragma once

#include <cstdint>

#include "common/dtype.h"

namespace fastmetrics {

FM_HD double real_at(const void* data, DType type, int64_t offset) {
  double value = 0.0;
  if (is_floating(type)) {
    with_score_type(type, [&](auto t) { value = widen(static_cast<const decltype(t)*>(data)[offset]); });
  } else {
    with_label_type(type, [&](auto t) { value = static_cast<double>(static_cast<const decltype(t)*>(data)[offset]); });
  }
  return value;
}

}  // namespace fastmetrics
