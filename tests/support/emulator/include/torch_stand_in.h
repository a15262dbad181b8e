// SPDX-License-Identifier: Apache-2.0
//
// In place of torch's stable ABI: the part of it that the registrations of the CUDA kernels use. An operator that they
// register becomes a function of the Python module, which takes tensors by address, dtype, shape and strides, and gives
// the bytes of one that it returns.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace torch {
namespace headeronly {

enum class ScalarType {
  Bool,
  Byte,
  UInt16,
  UInt32,
  UInt64,
  Char,
  Short,
  Int,
  Long,
  Half,
  BFloat16,
  Float,
  Double,
  Other
};

inline int64_t size_of(ScalarType type) {
  constexpr int64_t kSizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 16};
  return kSizes[static_cast<int>(type)];
}

}  // namespace headeronly

namespace stable {

using headeronly::ScalarType;

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Tensor* handle) : Tensor(*handle) { delete handle; }

  std::string name;  // for reports
  void* data = nullptr;
  ScalarType type = ScalarType::Other;
  std::vector<int64_t> shape, steps;
  bool written = true;  // whether it holds values
  std::shared_ptr<void> owned = nullptr;

  int64_t dim() const { return static_cast<int64_t>(shape.size()); }
  int64_t size(int64_t d) const { return shape.at(static_cast<size_t>(d < 0 ? d + dim() : d)); }
  int64_t stride(int64_t d) const { return steps.at(static_cast<size_t>(d < 0 ? d + dim() : d)); }
  const std::vector<int64_t>& sizes() const { return shape; }
  const std::vector<int64_t>& strides() const { return steps; }
  int64_t numel() const {
    int64_t n = 1;
    for (int64_t s : shape) n *= s;
    return n;
  }
  bool is_contiguous() const {
    int64_t step = 1;
    for (int64_t d = dim() - 1; d >= 0; --d) {
      if (size(d) != 1 && stride(d) != step) return false;
      step *= size(d);
    }
    return true;
  }
  ScalarType scalar_type() const { return type; }
  bool is_cuda() const { return true; }
  int32_t get_device_index() const { return 0; }

  const void* const_data_ptr() const { return on_card(false); }
  void* mutable_data_ptr() const { return on_card(true); }

 private:
  // Kernels may now touch its elements.
  void* on_card(bool writable) const;
};

Tensor new_empty(const Tensor& self, std::vector<int64_t> size, std::optional<ScalarType> dtype = std::nullopt);

namespace accelerator {
struct DeviceGuard {
  explicit DeviceGuard(int32_t) {}
};
}  // namespace accelerator

}  // namespace stable
}  // namespace torch

namespace emulator {

using torch::stable::Tensor;
using Value = std::variant<std::nullopt_t, bool, int64_t, double, Tensor, std::vector<Tensor>, std::vector<int64_t>>;
using Operator = std::function<Value(const std::vector<Value>&)>;

template <typename T>
struct Unbox {
  static T from(const Value& v) { return std::get<T>(v); }
};
template <typename T>
struct Unbox<std::optional<T>> {
  static std::optional<T> from(const Value& v) {
    if (std::holds_alternative<std::nullopt_t>(v)) return std::nullopt;
    return Unbox<T>::from(v);
  }
};

template <typename Result, typename... Parameters, size_t... I>
Value call(Result (*f)(Parameters...), const std::vector<Value>& values, std::index_sequence<I...>) {
  if constexpr (std::is_void_v<Result>) {
    f(Unbox<std::decay_t<Parameters>>::from(values[I])...);
    return std::nullopt;
  } else {
    return f(Unbox<std::decay_t<Parameters>>::from(values[I])...);
  }
}

template <typename Result, typename... Parameters>
Operator boxed(Result (*f)(Parameters...)) {
  return [f](const std::vector<Value>& values) {
    if (values.size() != sizeof...(Parameters)) throw std::invalid_argument("wrong number of arguments");
    return call(f, values, std::index_sequence_for<Parameters...>());
  };
}

// Of a function that finds its arguments on a stack and returns nothing.
inline Operator boxed(void (*f)(Value*, uint64_t, uint64_t)) {
  return [f](std::vector<Value> values) {
    f(values.data(), values.size(), 0);
    return std::nullopt;
  };
}

struct Library {
  void impl(const char* name, Operator f);
  void impl(const char* name, void (*f)(Value*, uint64_t, uint64_t)) { impl(name, boxed(f)); }
};
struct Registration {
  explicit Registration(void (*f)(Library&)) {
    Library library;
    f(library);
  }
};

template <typename... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

}  // namespace emulator

#define TORCH_BOX(f) ::emulator::boxed(f)
#define C10_CONCATENATE_IN_TURN(a, b) a##b
#define C10_CONCATENATE(a, b) C10_CONCATENATE_IN_TURN(a, b)
#define C10_UID __COUNTER__
#define EMULATOR_LIBRARY_IMPL(name, m)                                                                 \
  static void C10_CONCATENATE(register_, name)(::emulator::Library&);                                  \
  static const ::emulator::Registration C10_CONCATENATE(of_, name)(&C10_CONCATENATE(register_, name)); \
  static void C10_CONCATENATE(register_, name)(::emulator::Library & m)
#define STABLE_TORCH_LIBRARY_IMPL(space, key, m) EMULATOR_LIBRARY_IMPL(C10_CONCATENATE(operators_, C10_UID), m)
#define STD_TORCH_CHECK(condition, ...) \
  if (!(condition)) throw std::runtime_error(::emulator::text(__VA_ARGS__))
#define TORCH_ERROR_CODE_CHECK(call) (call)

using StableIValue = emulator::Value;
using AtenTensorHandle = torch::stable::Tensor*;

namespace torch::stable::detail {
template <typename T>
T to(const StableIValue& value) {
  return emulator::Unbox<T>::from(value);
}
}  // namespace torch::stable::detail

namespace emulator {
extern void* stream;  // the current one
}
inline int aoti_torch_get_current_cuda_stream(int32_t, void** stream) {
  *stream = emulator::stream;
  return 0;
}
inline int32_t aoti_torch_dtype_int64() { return 0; }
inline int32_t aoti_torch_device_type_cuda() { return 0; }
inline int aoti_torch_empty_strided(int64_t, const int64_t* sizes, const int64_t*, int32_t, int32_t, int32_t,
                                    AtenTensorHandle* made) {
  *made = new torch::stable::Tensor(torch::stable::new_empty({}, {*sizes}, torch::stable::ScalarType::Long));
  return 0;
}
