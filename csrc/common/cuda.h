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

inline cudaStream_t current_stream(const Tensor& tensor) {
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(tensor.get_device_index(), &stream));
  return static_cast<cudaStream_t>(stream);
}

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

inline void check(const char* name, cudaError_t error) {
  STD_TORCH_CHECK(error == cudaSuccess, name, ": ", cudaGetErrorString(error));
}

}  // namespace fastmetrics
