// SPDX-License-Identifier: Apache-2.0
//
// Calls of CPU kernels from Python without PyTorch's dispatcher, which takes longer than a small batch does; what
// fastmetrics/native/direct.py loads. A call that is not of plain CPU tensors, or that someone watches (a mode, a
// tracer, a profiler), goes to the operator.

#pragma once

#include "common/view.h"

#if __has_include(<Python.h>) && !defined(FM_NO_PYTHON)

#include <array>
#include <cstddef>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

struct _object;  // PyObject

namespace fastmetrics::direct {

using Object = ::_object;
using Call = Object*(Object* self, Object* const* arguments, ptrdiff_t count);

struct Registration {
  Registration(const char* name, Call* call);
};

// Each of these says whether the object is what the kernel takes; none leaves a Python error behind.
bool is_none(Object* from);
bool convert(Object* from, View* to);
bool convert(Object* from, State* to);
inline bool convert(Object* from, Output* to) { return convert(from, static_cast<State*>(to)); }
bool convert(Object* from, int64_t* to);
bool convert(Object* from, bool* to);
bool convert(Object* from, double* to);
template <typename T>
inline bool convert(Object* from, std::optional<T>* to) {
  return is_none(from) || convert(from, &to->emplace());
}

template <typename T>
constexpr bool kOptional = false;
template <typename T>
constexpr bool kOptional<std::optional<T>> = true;

bool watched();
Object* call_operator(Object* self, Object* const* arguments, ptrdiff_t count);
Object* none();
Object* raise(const char* message);

// Other Python threads may run meanwhile, if it is worth it.
class Unlocked {
 public:
  explicit Unlocked(int64_t elements);
  ~Unlocked();
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  void* state_ = nullptr;
};

inline int64_t elements(const View& view) { return view.numel(); }
template <typename T>
inline int64_t elements(const T&) {
  return 0;
}

template <auto function>
struct Caller;

template <typename... P, void (*function)(P...)>
struct Caller<function> {
  // Arguments that are left out are optional ones at the end.
  template <size_t... I>
  static bool convert_all(std::tuple<P...>* to, Object* const* from, size_t count, std::index_sequence<I...>) {
    return ((I < count ? convert(from[I], &std::get<I>(*to)) : kOptional<P>) && ...);
  }

  static Object* call(Object* self, Object* const* arguments, ptrdiff_t count) {
    // an operator makes its result itself
    constexpr ptrdiff_t kOutputs = (std::is_same_v<P, Output> + ...);
    std::tuple<P...> values;
    if (static_cast<size_t>(count) > sizeof...(P) || watched() ||
        !convert_all(&values, arguments, static_cast<size_t>(count), std::index_sequence_for<P...>())) {
      return call_operator(self, arguments, count - kOutputs);
    }
    try {
      const Unlocked unlocked(elements(std::get<0>(values)));
      std::apply(function, values);
    } catch (const std::exception& error) {
      return kOutputs > 0 ? call_operator(self, arguments, count - kOutputs) : raise(error.what());
    }
    return none();
  }
};

}  // namespace fastmetrics::direct

#define FM_DIRECT_CALL(name, function)                                                  \
  static const fastmetrics::direct::Registration C10_CONCATENATE(direct_call, C10_UID)( \
      name, &fastmetrics::direct::Caller<function>::call);
#else
#define FM_DIRECT_CALL(name, function)
#endif
