// SPDX-License-Identifier: Apache-2.0
//
// How a function of views becomes the kernel of an operator, for the dispatcher and for direct calls. Both convert what
// they are given by a list of its parameters, with code that is compiled once for all operators.
//
// Who includes this has declared the struct Target: where the kernels of this library run.
//   kDeviceType       as DLPack numbers it
//   Guard(index)      makes a device the current one for a call
//   device_of(t, n)   the one device of the tensors that are there among n; throws if there are several

#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "common/view.h"

namespace fastmetrics {

enum class Parameter : uint8_t { kView, kViews, kState, kOutput, kInteger, kIntegers, kNumber, kFlag };

// What a parameter is given. It is not initialised.
struct Argument {
  Argument() {}  // NOLINT
  union {
    Output view;
    Views views;
    int64_t integer;
    Integers integers;
    double number;
    bool flag;
  };
  bool there;  // false for an optional one that is left out
};

template <typename P>
struct Passed;

template <Parameter parameter_, typename P, auto value>
struct PassedBy {
  static constexpr Parameter parameter = parameter_;
  static constexpr bool optional = false;
  static P get(const Argument& from) { return from.*value; }
};
template <>
struct Passed<View> : PassedBy<Parameter::kView, View, &Argument::view> {};
template <>
struct Passed<Views> : PassedBy<Parameter::kViews, Views, &Argument::views> {};
template <>
struct Passed<State> : PassedBy<Parameter::kState, State, &Argument::view> {};
template <>
struct Passed<Output> : PassedBy<Parameter::kOutput, Output, &Argument::view> {};
template <>
struct Passed<int64_t> : PassedBy<Parameter::kInteger, int64_t, &Argument::integer> {};
template <>
struct Passed<Integers> : PassedBy<Parameter::kIntegers, Integers, &Argument::integers> {};
template <>
struct Passed<double> : PassedBy<Parameter::kNumber, double, &Argument::number> {};
template <>
struct Passed<bool> : PassedBy<Parameter::kFlag, bool, &Argument::flag> {};
template <typename P>
struct Passed<std::optional<P>> {
  static constexpr Parameter parameter = Passed<P>::parameter;
  static constexpr bool optional = true;
  static std::optional<P> get(const Argument& from) {
    return from.there ? std::optional<P>(Passed<P>::get(from)) : std::nullopt;
  }
};

constexpr size_t kMostParameters = 32;

// A list as the dispatcher gives it; none if it is optional and left out.
template <typename T>
std::optional<std::vector<T>> list_of(StableIValue from, bool optional) {
  using torch::stable::detail::to;
  if (optional) return to<std::optional<std::vector<T>>>(from);
  return to<std::vector<T>>(from);
}

struct Signature {
  const Parameter* parameters;
  const bool* optional;
  size_t count;
  void (*call)(const Argument* arguments);
};

// What the dispatcher calls.
inline void call_boxed(const Signature& signature, StableIValue* stack, uint64_t count) {
  using torch::stable::detail::to;
  require(count == signature.count, "the operator's schema has other arguments than its kernel");
  std::optional<Tensor> owners[kMostParameters];
  std::optional<std::vector<Tensor>> listed;  // of the one list that there may be
  std::vector<Output> views;
  std::optional<std::vector<int64_t>> integers;
  Argument arguments[kMostParameters];
  for (size_t i = 0; i < count; ++i) {
    Argument& argument = arguments[i];
    argument.there = true;
    switch (signature.parameters[i]) {
      case Parameter::kInteger:
        argument.integer = to<int64_t>(stack[i]);
        break;
      case Parameter::kNumber:
        argument.number = to<double>(stack[i]);
        break;
      case Parameter::kFlag:
        argument.flag = to<bool>(stack[i]);
        break;
      case Parameter::kViews:
        listed = list_of<Tensor>(stack[i], signature.optional[i]);
        argument.there = listed.has_value();
        if (!argument.there) break;
        views.assign(listed->begin(), listed->end());
        argument.views = {views.data(), views.size()};
        break;
      case Parameter::kIntegers:
        integers = list_of<int64_t>(stack[i], signature.optional[i]);
        argument.there = integers.has_value();
        if (argument.there) argument.integers = {integers->data(), integers->size()};
        break;
      default:
        if (signature.optional[i]) {
          owners[i] = to<OptionalTensor>(stack[i]);
        } else {
          owners[i].emplace(to<Tensor>(stack[i]));
        }
        argument.there = owners[i].has_value();
        if (argument.there) argument.view = Output(*owners[i]);
    }
  }
  const Target::Guard guard(Target::device_of(owners, count));
  signature.call(arguments);
}

template <auto function>
struct Kernel;

template <typename... P, void (*function)(P...)>
struct Kernel<function> {
  static_assert(sizeof...(P) <= kMostParameters);

  template <size_t... I>
  static void call_with(const Argument* arguments, std::index_sequence<I...>) {
    function(Passed<P>::get(arguments[I])...);
  }
  static void call(const Argument* arguments) { call_with(arguments, std::index_sequence_for<P...>()); }

  static constexpr Parameter parameters[] = {Passed<P>::parameter...};
  static constexpr bool optional[] = {Passed<P>::optional...};
  static constexpr Signature signature{parameters, optional, sizeof...(P), &call};

  static void call_boxed(StableIValue* stack, uint64_t count, uint64_t) {
    fastmetrics::call_boxed(signature, stack, count);
  }
};

}  // namespace fastmetrics
