// SPDX-License-Identifier: Apache-2.0
//
// The host's side of a kernel: how many blocks to start, and the launch.

#pragma once

#include <algorithm>
#include <cstdint>

#include "common/card.h"
#include "common/device.cuh"

namespace fastmetrics {

// Blocks for `work` items at `per_block` each: no more than fill the card.
inline int blocks_for(const Card& card, int64_t work, int64_t per_block, int blocks_per_multiprocessor) {
  const int64_t wanted = (work + per_block - 1) / per_block;
  const int64_t most = static_cast<int64_t>(card.multiprocessors) * blocks_per_multiprocessor;
  return static_cast<int>(std::max<int64_t>(1, std::min(wanted, most)));
}

// How many replicas of `cells` a block has in shared memory, a power of two up to kThreads, besides `other` bytes; none
// if it has more cells than elements.
template <typename Cell>
int replicas_of(const Card& card, int64_t cells, int64_t elements, int blocks, int blocks_per_multiprocessor,
                int64_t other) {
  if (cells > elements / blocks) return 0;
  // each block has a kilobyte for the system besides
  const int64_t of_multiprocessor = card.shared_of_multiprocessor / blocks_per_multiprocessor - 1024;
  const int64_t bytes = std::min<int64_t>(card.shared_of_block, of_multiprocessor) - other;
  int replicas = kThreads;
  while (replicas > 0 && cells * replicas * static_cast<int64_t>(sizeof(Cell)) > bytes) replicas /= 2;
  return replicas;
}

// Whether `pointer` and the distances (in elements of `size` bytes) are multiples of 16 bytes.
template <typename... Distances>
bool aligned_16(const void* pointer, int64_t size, Distances... distances) {
  return reinterpret_cast<uintptr_t>(pointer) % 16 == 0 && ((distances * size % 16 == 0) && ...);
}

// Start kThreads threads a block with `shared` bytes of dynamic shared memory. Without `<<<>>>`, so that any C++
// compiler reads it.
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), dim3 blocks, int64_t shared, cudaStream_t stream,
                   const Arguments&... arguments) {
  if (shared > 32 * 1024) {  // 48 KB need no leave, but a kernel may have some of them by itself
    const cudaError_t error = cudaFuncSetAttribute(
        reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared));
    if (error != cudaSuccess) return error;
  }
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = dim3(kThreads);
  config.dynamicSmemBytes = static_cast<size_t>(shared);
  config.stream = stream;
  cudaLaunchKernelEx(&config, kernel, arguments...);
  return cudaGetLastError();
}

}  // namespace fastmetrics
