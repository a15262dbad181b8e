// SPDX-License-Identifier: Apache-2.0
//
// Vectors of one register: the compiler takes comparisons of wider ones, and choices by them, apart to single lanes.

#pragma once

#include <cstdint>

namespace fastmetrics {

#if defined(__AVX512F__)
constexpr int kRegister = 64;  // bytes
#elif defined(__AVX2__)
constexpr int kRegister = 32;
#else
constexpr int kRegister = 16;
#endif
constexpr int kFloats = kRegister / 4, kDoubles = kRegister / 8;
using F32s = float __attribute__((vector_size(kRegister)));
using F64s = double __attribute__((vector_size(kRegister)));
using I32s = int32_t __attribute__((vector_size(kRegister)));
using I64s = int64_t __attribute__((vector_size(kRegister)));

}  // namespace fastmetrics
