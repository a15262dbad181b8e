// SPDX-License-Identifier: Apache-2.0
//
// What the registrations of the CUDA kernels share: the stream, memory, and errors.

#pragma once

#include <cuda_runtime_api.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/accelerator.h>

#include "common/kept_scratch.h"
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

// Checks launch(scratch, stream), which has this scratch and the current stream of the current device. Where the stream
// keeps none that will do, it comes from PyTorch, and is made zero by a kernel of its own: PyTorch gives it to none but
// this stream before it is done, and while a graph is captured, from the memory of that graph.
template <typename F>
void with_scratch(const char* name, const ScratchSize& size, const F& launch) {
  int device = 0;
  check("cudaGetDevice", cudaGetDevice(&device));
  const cudaStream_t stream = current_stream();
  if (size.zeros + size.others == 0) return check(name, launch(Scratch{}, stream));
  if (KeptScratch* kept = KeptScratch::find(size, device, stream)) {
    const cudaError_t error = launch(kept->memory(), stream);
    if (error != cudaSuccess) kept->spoil();
    return check(name, error);
  }
  Workspace workspace(size.zeros + size.others);
  const Scratch memory{workspace.as<int64_t>(), workspace.as<int64_t>() + size.zeros};
  if (size.zeros > 0) check(name, cudaMemsetAsync(memory.zeros, 0, size.zeros * sizeof(int64_t), stream));
  check(name, launch(memory, stream));
}

}  // namespace fastmetrics
