// SPDX-License-Identifier: Apache-2.0
//
// How the kernels that count totals are started, and what launch_binary does with scores that are neighbours, as are
// their targets. Each of these is a source of its own, of which compilers can have one each.

#pragma once

#include <type_traits>

#include "common/launch.cuh"
#include "passes/binary_neighbours_kernels.cuh"

namespace fastmetrics {

struct BinaryStart {
  const Card& card;
  const BinaryBatch& b;
  const BinaryTotals& to;
  cudaStream_t stream;

  // Starts a kernel whose last parameter is `to`, with so many blocks that count.
  template <typename Kernel, typename... Arguments>
  cudaError_t operator()(Kernel kernel, int64_t blocks, const Arguments&... arguments) const {
    BinaryTotals of = to;
    of.turns.blocks = static_cast<int>(blocks);
    return launch(kernel, dim3(static_cast<unsigned>(of.turns.grid())), 0, stream, b, arguments..., of);
  }
};

// Long lines of one label, 16-byte aligned: the second of two dimensions of the samples, or the whole batch.
cudaError_t launch_binary_wide(const BinaryStart& start);
// The whole batch as one line, 16-byte aligned, in which the labels of a sample are neighbours.
cudaError_t launch_binary_labels(const BinaryStart& start);
// Short lines, the second of two dimensions of the samples.
cudaError_t launch_binary_lines(const BinaryStart& start);

// launch(than, ignores): with the types of the scores and of targets of such a size, and whether a target may be one
// that is ignored, as a constant.
template <typename F>
cudaError_t with_neighbours(const BinaryBatch& b, const F& launch) {
  cudaError_t error = cudaSuccess;
  auto with_types = [&](auto t, auto i) {
    using T = decltype(t);
    using I = decltype(i);
    const Cutoffs<T, I> than{static_cast<WidenedTo<T>>(b.probability), static_cast<WidenedTo<T>>(b.logit),
                             static_cast<I>(b.ignore)};
    const bool ignores = b.has_ignore && label_at(&than.ignore, b.target_type, 0) == b.ignore;  // else no target is it
    error = ignores ? launch(than, std::true_type()) : launch(than, std::false_type());
  };
  const int64_t size = size_of(b.target_type);
  with_score_type(b.preds_type, [&](auto t) {
    if (size == 8) return with_types(t, int64_t{});
    if (size == 4) return with_types(t, int32_t{});
    with_types(t, uint8_t{});
  });
  return error;
}

}  // namespace fastmetrics
