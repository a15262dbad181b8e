// SPDX-License-Identifier: Apache-2.0
//
// What the registrations of the CUDA kernels share: checks of devices, the stream, and errors.

#pragma once

#include <cuda_runtime_api.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>

#include <initializer_list>

#include "common/stable.h"

namespace fastmetrics {

inline void check(const char* name, cudaError_t error) {
  STD_TORCH_CHECK(error == cudaSuccess, name, ": ", cudaGetErrorString(error));
}

inline cudaStream_t current_stream(const Tensor& tensor) {
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(tensor.get_device_index(), &stream));
  return static_cast<cudaStream_t>(stream);
}

// That of the current device.
inline cudaStream_t current_stream() {
  int device = 0;
  check("cudaGetDevice", cudaGetDevice(&device));
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(device, &stream));
  return static_cast<cudaStream_t>(stream);
}

// Memory of the current device and stream, of any values.
class Workspace {
 public:
  explicit Workspace(int64_t bytes) {
    int device = 0;
    check("cudaGetDevice", cudaGetDevice(&device));
    const int64_t size = (bytes + 7) / 8, step = 1;
    AtenTensorHandle made = nullptr;
    TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, &size, &step, aoti_torch_dtype_int64(),
                                                    aoti_torch_device_type_cuda(), device, &made));
    memory_ = Tensor(made);
  }
  template <typename T>
  T* as() {
    return static_cast<T*>(memory_.mutable_data_ptr());
  }

 private:
  Tensor memory_;
};

// A kernel would read the memory of another device, or of the host, as its own.
inline void on_device_of(const Tensor& first, const char* name, std::initializer_list<const Tensor*> tensors,
                         std::initializer_list<const OptionalTensor*> states) {
  auto same = [&](const Tensor& t) {
    STD_TORCH_CHECK(t.is_cuda() && t.get_device_index() == first.get_device_index(), name,
                    ": inputs and states must be on one device");
  };
  for (const Tensor* t : tensors) same(*t);
  for (const OptionalTensor* t : states) {
    if (t->has_value()) same(**t);
  }
}

}  // namespace fastmetrics
