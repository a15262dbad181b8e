// SPDX-License-Identifier: Apache-2.0
//
// In place of the CUDA runtime: what launches call, carried out at once by the emulator.

#pragma once

#include <cstddef>
#include <cstdint>

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

enum cudaError_t {
  cudaSuccess,
  cudaErrorInvalidValue,
  cudaErrorInvalidConfiguration,
  cudaErrorLaunchFailure,
  cudaErrorMemoryAllocation
};
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount,
  cudaDevAttrMaxSharedMemoryPerBlockOptin,
  cudaDevAttrMaxSharedMemoryPerMultiprocessor
};
enum cudaStreamCaptureStatus {
  cudaStreamCaptureStatusNone,
  cudaStreamCaptureStatusActive,
  cudaStreamCaptureStatusInvalidated
};
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
using cudaStream_t = struct CUstream*;
#define cudaStreamPerThread ((cudaStream_t)0x2)

struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
};

cudaError_t cudaGetDevice(int* device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value);
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaMalloc(void** made, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status);
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode);
cudaError_t cudaGetLastError();
// Also what the emulator has found.
const char* cudaGetErrorString(cudaError_t error);

// ThreadSanitizer must see these functions; the emulator's own checks must not, or are told.
#ifdef EMULATOR_TSAN
#define EMULATOR_UNCHECKED
#else
#define EMULATOR_UNCHECKED __attribute__((no_sanitize("thread")))
#endif

namespace emulator {
// Every thread makes `call(context)`.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, void (*call)(void*), void* context);
}  // namespace emulator

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  auto call = [&]() EMULATOR_UNCHECKED { kernel(arguments...); };
  return emulator::launch(
      *config, reinterpret_cast<const void*>(kernel),
      [](void* context) EMULATOR_UNCHECKED { (*static_cast<decltype(call)*>(context))(); }, &call);
}
