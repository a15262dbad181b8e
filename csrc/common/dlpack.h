// SPDX-License-Identifier: Apache-2.0
//
// What this project uses of DLPack 1 (https://dmlc.github.io/dlpack): the layout of a tensor, and the table of C
// functions that torch.Tensor.__dlpack_c_exchange_api__ holds.

#pragma once

#include <cstdint>

namespace fastmetrics::dlpack {

constexpr uint32_t kMajor = 1;
constexpr int32_t kCpu = 1, kCuda = 2;

enum Code : uint8_t { kInt = 0, kUInt = 1, kFloat = 2, kBFloat = 4, kBool = 6 };

struct Tensor {
  void* data;
  struct {
    int32_t type, index;
  } device;
  int32_t dims;
  struct {
    uint8_t code, bits;
    uint16_t lanes;
  } dtype;
  int64_t* sizes;
  int64_t* strides;  // of elements
  uint64_t byte_offset;
};

struct ExchangeApi {
  struct {
    uint32_t major, minor;
  } version;
  void* previous;
  void* allocate;
  void* export_owned;
  void* import_owned;
  int (*borrow)(void* object, Tensor* out);  // 0, or -1 with a Python error; may be null
  void* current_stream;
};

}  // namespace fastmetrics::dlpack
