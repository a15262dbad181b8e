// SPDX-License-Identifier: Apache-2.0
//
// How a function of views becomes the CPU kernel of an operator: FM_CPU_OPERATOR("name_", &function).
//
// It is registered with the dispatcher and, where Python's headers were there to compile with, for direct calls.

#pragma once

#include "common/cpu.h"
#include "common/dlpack.h"
#include "common/view.h"

namespace fastmetrics {

// What the loops ask, who know no torch. This header is for one source of a library.
int num_threads() { return static_cast<int>(torch::stable::get_num_threads()); }

struct Target {
  static constexpr int32_t kDeviceType = dlpack::kCpu;
  static int32_t device_of(const OptionalTensor*, size_t) { return 0; }
  struct Guard {
    explicit Guard(int32_t) {}
  };
  // Calls f() in as many threads as come.
  template <typename F>
  static void in_threads(int64_t threads, const F& f) {
    split(threads, static_cast<int>(threads), [&](int, int64_t, int64_t) { f(); });
  }
};

}  // namespace fastmetrics

#include "common/direct.h"
#include "common/kernel.h"

#define FM_CPU_OPERATOR(name, function)                                                                        \
  STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl(name, &fastmetrics::Kernel<function>::call_boxed); } \
  FM_DIRECT_CALL(name, function)
