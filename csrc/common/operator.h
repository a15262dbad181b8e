// SPDX-License-Identifier: Apache-2.0
//
// How a function of views becomes the CPU kernel of an operator: FM_CPU_OPERATOR("name_", &function).
//
// It is registered with the dispatcher and, where Python's headers were there to compile with, for direct calls. Both
// convert what they are given with functions that are compiled once for all operators.

#pragma once

#include <cstddef>
#include <tuple>
#include <utility>

#include "common/view.h"

namespace fastmetrics {

// Each of these takes an argument off the dispatcher's stack. `owner` keeps a tensor for the time of the call.
[[gnu::noinline]] inline void unbox(StableIValue from, std::optional<Tensor>* owner, View* to) {
  *to = owner->emplace(torch::stable::detail::to<Tensor>(from));
}
[[gnu::noinline]] inline void unbox(StableIValue from, std::optional<Tensor>* owner, OptionalView* to) {
  *owner = torch::stable::detail::to<OptionalTensor>(from);
  if (owner->has_value()) to->emplace(**owner);
}
[[gnu::noinline]] inline void unbox(StableIValue from, std::optional<Tensor>* owner, State* to) {
  *to = State(owner->emplace(torch::stable::detail::to<Tensor>(from)));
}
[[gnu::noinline]] inline void unbox(StableIValue from, std::optional<Tensor>* owner, OptionalState* to) {
  *owner = torch::stable::detail::to<OptionalTensor>(from);
  if (owner->has_value()) to->emplace(**owner);
}
template <typename Number>
inline void unbox(StableIValue from, std::optional<Tensor>*, Number* to) {
  *to = torch::stable::detail::to<Number>(from);
}

template <auto function>
struct Kernel;

template <typename... P, void (*function)(P...)>
struct Kernel<function> {
  using Arguments = std::tuple<P...>;

  [[gnu::noinline]] static void call(const Arguments& arguments) { std::apply(function, arguments); }

  template <size_t... I>
  static void unbox_all(StableIValue* stack, std::optional<Tensor>* owners, Arguments* to, std::index_sequence<I...>) {
    (unbox(stack[I], owners + I, &std::get<I>(*to)), ...);
  }

  // What the dispatcher calls.
  static void call_boxed(StableIValue* stack, uint64_t count, uint64_t) {
    require(count == sizeof...(P), "the operator's schema has other arguments than its kernel");
    std::optional<Tensor> owners[sizeof...(P)];
    Arguments arguments;
    unbox_all(stack, owners, &arguments, std::index_sequence_for<P...>());
    call(arguments);
  }
};

}  // namespace fastmetrics

#include "common/direct.h"

#define FM_CPU_OPERATOR(name, function)                                                                        \
  STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl(name, &fastmetrics::Kernel<function>::call_boxed); } \
  FM_DIRECT_CALL(name, function)
