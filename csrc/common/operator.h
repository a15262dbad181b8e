// SPDX-License-Identifier: Apache-2.0
//
// How a function of views becomes the CPU kernel of an operator: FM_CPU_OPERATOR("name_", &function).
//
// It is registered with the dispatcher and, where Python's headers were there to compile with, for direct calls.

#pragma once

#include "common/direct.h"
#include "common/view.h"

namespace fastmetrics {

// The type that the dispatcher hands over for a parameter.
template <typename T>
struct Boxed {
  using type = T;
};
template <>
struct Boxed<View> {
  using type = const Tensor;
};
template <>
struct Boxed<State> {
  using type = Tensor;
};
template <>
struct Boxed<OptionalView> {
  using type = OptionalTensor;
};
template <>
struct Boxed<OptionalState> {
  using type = OptionalTensor;
};

template <auto function>
struct Kernel;

template <typename... P, void (*function)(P...)>
struct Kernel<function> {
  static void call(typename Boxed<P>::type... arguments) { function(arguments...); }
};

}  // namespace fastmetrics

#define FM_CPU_OPERATOR(name, function)                                                                             \
  STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl(name, TORCH_BOX(&fastmetrics::Kernel<function>::call)); } \
  FM_DIRECT_CALL(name, function)
