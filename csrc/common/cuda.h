// SPDX-License-Identifier: Apache-2.0
//
// What the registrations of the CUDA kernels share: the stream, memory, and errors.

#pragma once

#include <cuda_runtime_api.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>

#include "common/stable.h"

namespace fastmetrics {

inline void check(const char* name, cudaError_t error) {
  STD_TORCH_CHECK(error == cudaSuccess, name, ": ", cudaGetErrorString(error));
}

// The current stream of the current device.
inline cudaStream_t current_stream() {
  int device = 0;
  check("cudaGetDevice", cudaGetDevice(&device));
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(device, &stream));
  return static_cast<cudaStream_t>(stream);
}

// Memory of the current device and stream, of any values: so many times 8 bytes.
class Workspace {
 public:
  explicit Workspace(int64_t words) {
    int device = 0;
    check("cudaGetDevice", cudaGetDevice(&device));
    const int64_t step = 1;
    AtenTensorHandle made = nullptr;
    TORCH_ERROR_CODE_CHECK(aoti_torch_empty_strided(1, &words, &step, aoti_torch_dtype_int64(),
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

}  // namespace fastmetrics
