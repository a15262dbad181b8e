// SPDX-License-Identifier: Apache-2.0
//
// How a function of views becomes the CUDA kernel of an operator: FM_CUDA_OPERATOR("name_", &function). It is called
// while the device of its arguments is the current one. For one source of a library, as operator.h.

#pragma once

#include <mutex>

#include "common/card.h"
#include "common/cuda.h"
#include "common/dlpack.h"
#include "common/view.h"

namespace fastmetrics {

cudaError_t current_card(Card* card) {
  constexpr int kMostKnown = 64;
  static std::mutex one_at_a_time;
  static Card known[kMostKnown];
  int device = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return error;
  std::lock_guard<std::mutex> lock(one_at_a_time);
  Card& found = known[device % kMostKnown];
  if (found.device == device) {
    *card = found;
    return cudaSuccess;
  }
  auto read = [&](int* to, cudaDeviceAttr attribute) {
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(to, attribute, device);
  };
  read(&card->multiprocessors, cudaDevAttrMultiProcessorCount);
  read(&card->shared_of_block, cudaDevAttrMaxSharedMemoryPerBlockOptin);
  read(&card->shared_of_multiprocessor, cudaDevAttrMaxSharedMemoryPerMultiprocessor);
  card->device = device;
  if (error == cudaSuccess) found = *card;
  return error;
}

struct Target {
  static constexpr int32_t kDeviceType = dlpack::kCuda;
  // A kernel would read the memory of another device, or of the host, as its own.
  static int32_t device_of(const OptionalTensor* tensors, size_t count) {
    const Tensor* first = nullptr;
    for (size_t i = 0; i < count; ++i) {
      if (!tensors[i].has_value()) continue;
      if (first == nullptr) first = &*tensors[i];
      require(tensors[i]->is_cuda() && tensors[i]->get_device_index() == first->get_device_index(),
              "inputs and states must be on one device");
    }
    return first == nullptr ? 0 : first->get_device_index();
  }
  using Guard = torch::stable::accelerator::DeviceGuard;
  template <typename F>
  static void in_threads(int64_t, const F& f) {
    f();
  }
};

}  // namespace fastmetrics

#include "common/direct.h"
#include "common/kernel.h"

#define FM_CUDA_OPERATOR(name, function)                                                                        \
  STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CUDA, m) { m.impl(name, &fastmetrics::Kernel<function>::call_boxed); } \
  FM_DIRECT_CALL(name, function)
