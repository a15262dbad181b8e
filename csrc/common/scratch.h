// SPDX-License-Identifier: Apache-2.0
//
// Memory that a launch needs for itself.

#pragma once

#include <cstdint>

namespace fastmetrics {

// In words of 8 bytes. one_kernel: whether one kernel does all, and leaves its zeros as zeros. Between two of them
// another thread may start one on the same stream.
struct ScratchSize {
  int64_t zeros = 0, others = 0;
  bool one_kernel = true;
};

// zeros: zero before the launch. others: of any values.
struct Scratch {
  int64_t *zeros = nullptr, *others = nullptr;
};

}  // namespace fastmetrics
