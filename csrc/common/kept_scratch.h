// SPDX-License-Identifier: Apache-2.0
//
// Where the memory that a launch needs for itself comes from between launches: memory of a stream, which is kept.
// Launches of one stream come one after another, so they can share it, and each leaves what must be zero as zero.
//
// It is not PyTorch's: a tensor that outlives the call would be counted as the user's, and would keep alive whatever
// pool the first call happened to be in. It is never freed, because there is no telling when the last launch is over,
// and at the end of a process the driver may be gone already.

#pragma once

#include <cuda_runtime_api.h>

#include <mutex>

#include "common/scratch.h"

namespace fastmetrics {

class KeptScratch {
 public:
  // Of the stream, if it has as much to keep; null if not, and while work is captured: a graph may run on any stream,
  // beside this one. device: the current one.
  static KeptScratch* find(const ScratchSize& size, int device, cudaStream_t stream) {
    if (size.zeros > kZeros || size.others > kOthers || !size.one_kernel || is_capturing(stream)) return nullptr;
    static KeptScratch all[kMost];
    static int count = 0;
    const std::lock_guard<std::mutex> lock(one_at_a_time());
    int i = 0;
    while (i < count && !(all[i].device_ == device && all[i].stream_ == stream)) ++i;
    if (i == kMost) return nullptr;
    KeptScratch& found = all[i];
    if (i == count) {
      if (!found.allocate()) return nullptr;
      found.device_ = device;
      found.stream_ = stream;
      ++count;
    }
    if (!found.is_zero_ && cudaMemsetAsync(found.memory_.zeros, 0, kZeros * kWord, stream) != cudaSuccess) {
      return nullptr;
    }
    found.is_zero_ = true;
    return &found;
  }

  const Scratch& memory() const { return memory_; }

  // After a launch that failed: its zeros are made zero again before the next one.
  void spoil() {
    const std::lock_guard<std::mutex> lock(one_at_a_time());
    is_zero_ = false;
  }

 private:
  static constexpr int64_t kWord = sizeof(int64_t), kZeros = 64 * 1024, kOthers = 32 * 1024;
  static constexpr int kMost = 64;  // streams; others have memory of the call

  static std::mutex& one_at_a_time() {
    static std::mutex mutex;
    return mutex;
  }

  // Also where nobody can tell, and for the stream of a thread, whose name is that of many streams.
  static bool is_capturing(cudaStream_t stream) {
    if (stream == cudaStreamPerThread) return true;
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusActive;
    if (cudaStreamIsCapturing(stream, &status) != cudaSuccess) {
      cudaGetLastError();
      return true;
    }
    return status != cudaStreamCaptureStatusNone;
  }

  bool allocate() {
    // what another thread captures meanwhile is none of ours
    cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
    if (cudaThreadExchangeStreamCaptureMode(&mode) != cudaSuccess) return false;
    void *zeros = nullptr, *others = nullptr;
    cudaError_t error = cudaMalloc(&zeros, kZeros * kWord);
    if (error == cudaSuccess) error = cudaMalloc(&others, kOthers * kWord);
    if (error != cudaSuccess) {
      cudaFree(zeros);
      cudaGetLastError();  // there is other memory
    }
    cudaThreadExchangeStreamCaptureMode(&mode);
    if (error != cudaSuccess) return false;
    memory_ = {static_cast<int64_t*>(zeros), static_cast<int64_t*>(others)};
    return true;
  }

  int device_ = -1;
  cudaStream_t stream_ = nullptr;
  Scratch memory_;
  bool is_zero_ = false;
};

}  // namespace fastmetrics
