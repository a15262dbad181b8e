// SPDX-License-Identifier: Apache-2.0
//
// A tensor as the passes take it: where its elements are, of what type, and how they are laid out. It does not own
// them.

#pragma once

#include <cstdint>
#include <optional>

#include "common/dtype.h"
#include "common/require.h"
#include "common/stable.h"

namespace fastmetrics {

class View {
 public:
  View() = default;
  View(const Tensor& tensor)  // NOLINT: a tensor is passed where a view is taken
      : tensor_(&tensor),
        type_(dtype_of(tensor)),
        dims_(tensor.dim()),
        sizes_(tensor.sizes().data()),
        strides_(tensor.strides().data()) {}
  // Strides count elements.
  View(void* data, DType type, int64_t dims, const int64_t* sizes, const int64_t* strides)
      : data_(data), type_(type), dims_(dims), sizes_(sizes), strides_(strides) {}

  DType dtype() const { return type_; }
  int64_t dim() const { return dims_; }
  int64_t size(int64_t d) const { return sizes_[d]; }
  int64_t stride(int64_t d) const { return strides_[d]; }

  int64_t numel() const {
    int64_t n = 1;
    for (int64_t d = 0; d < dims_; ++d) n *= sizes_[d];
    return n;
  }

  bool is_contiguous() const {
    int64_t step = 1;
    for (int64_t d = dims_ - 1; d >= 0; --d) {
      if (sizes_[d] == 0) return true;
      if (sizes_[d] != 1 && strides_[d] != step) return false;
      step *= sizes_[d];
    }
    return true;
  }

  const void* const_data_ptr() const { return tensor_ == nullptr ? data_ : tensor_->const_data_ptr(); }
  void* mutable_data_ptr() const { return tensor_ == nullptr ? data_ : tensor_->mutable_data_ptr(); }

 private:
  const Tensor* tensor_ = nullptr;
  void* data_ = nullptr;
  DType type_ = DType::kOther;
  int64_t dims_ = 0;
  const int64_t* sizes_ = nullptr;
  const int64_t* strides_ = nullptr;
};

// One that is written.
class State : public View {
 public:
  using View::View;
};

// The result of an operator that returns one, in a direct call. Such a function is called with what fits, or throws
// before it writes.
class Output : public State {
 public:
  using State::State;
};

// Those of a list that are only read, of which an operator has at most one.
struct Views {
  const Output* data;
  size_t count;

  const View& operator[](size_t i) const { return data[i]; }
};

// Integers of a list, of which an operator has at most one.
struct Integers {
  const int64_t* data;
  size_t count;

  int64_t operator[](size_t i) const { return data[i]; }
};

using OptionalView = std::optional<View>;
using OptionalViews = std::optional<Views>;
using OptionalIntegers = std::optional<Integers>;
using OptionalState = std::optional<State>;

inline DType dtype_of(const View& view) { return view.dtype(); }

// Not inlined, since there is one call for each of the states that an operator may be given.
[[gnu::noinline]] inline void check_state(const View& state, DType dtype, int64_t numel, const char* what) {
  require(state.dtype() == dtype && state.is_contiguous() && state.numel() == numel,
          "state has the wrong dtype, shape or strides: ", what);
}

// The data of a state: contiguous, of the dtype and number of elements that the pass writes; null if it was not asked.
template <typename T>
inline T* state_data(const OptionalState& state, DType dtype, int64_t numel, const char* what) {
  if (!state.has_value()) return nullptr;
  check_state(*state, dtype, numel, what);
  return static_cast<T*>(state->mutable_data_ptr());
}

// The data of n contiguous elements that are read.
template <typename T>
inline const T* in_line(const View& values, DType dtype, int64_t n, const char* rule) {
  require(values.dtype() == dtype && values.is_contiguous() && values.numel() == n, rule);
  return static_cast<const T*>(values.const_data_ptr());
}

// What comes per sample has the shape of the samples, `of`.
[[gnu::noinline]] inline void check_per_sample(const OptionalView& values, const View& of, DType dtype,
                                               const char* rule) {
  if (!values.has_value()) return;
  bool fits = values->dtype() == dtype && values->dim() == of.dim();
  for (int64_t d = 0; fits && d < of.dim(); ++d) fits = values->size(d) == of.size(d);
  require(fits, rule);
}

// The data of float64 weights, if there are any: of no samples it is not null either.
inline const double* weights_data(const OptionalView& weights) {
  static const double none = 0.0;
  if (!weights.has_value()) return nullptr;
  const void* data = weights->const_data_ptr();
  return data == nullptr ? &none : static_cast<const double*>(data);
}

inline int64_t* faults_data(const OptionalState& faults) {
  return state_data<int64_t>(faults, DType::kInt64, kFaults, "faults, int64 [15]");
}

}  // namespace fastmetrics
