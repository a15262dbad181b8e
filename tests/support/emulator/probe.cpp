// SPDX-License-Identifier: Apache-2.0

#include "probe.h"

#include <torch_stand_in.h>

namespace fastmetrics {
namespace {

using torch::stable::Tensor;

int64_t* data(const Tensor& t) { return static_cast<int64_t*>(t.mutable_data_ptr()); }
void check(cudaError_t error) { STD_TORCH_CHECK(error == cudaSuccess, cudaGetErrorString(error)); }

void warp_probe(const Tensor out, int64_t what) { check(launch_warp_probe(static_cast<int>(what), data(out))); }
void wrong_probe(const Tensor out, int64_t what) { check(launch_wrong_probe(static_cast<int>(what), data(out))); }
void copy_probe(const Tensor out, const Tensor in, int64_t what) {
  check(launch_copy_probe(static_cast<int>(what), static_cast<const int64_t*>(in.const_data_ptr()), data(out)));
}
void last_probe(const Tensor out, const Tensor finished, const Tensor sum, int64_t fences) {
  check(launch_last_probe(static_cast<int>(fences), out.numel(), data(out), data(finished), data(sum)));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(emulator, CUDA, m) {
  m.impl("warp_probe", TORCH_BOX(&fastmetrics::warp_probe));
  m.impl("wrong_probe", TORCH_BOX(&fastmetrics::wrong_probe));
  m.impl("copy_probe", TORCH_BOX(&fastmetrics::copy_probe));
  m.impl("last_probe", TORCH_BOX(&fastmetrics::last_probe));
}
