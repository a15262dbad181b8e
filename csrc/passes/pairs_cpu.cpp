// SPDX-License-Identifier: Apache-2.0
//
// The pairs pass on the CPU; its meaning is pairs_body in fastmetrics/passes/pairs.py.
//
// Sums are float64. The batch is cut into a number of parts that depends on its size alone, a part is summed in lanes
// in a fixed order, and the parts are added in order: the same data gives the same bits for any number of threads.

#include <cmath>

#include "common/cpu.h"
#include "passes/pairs_arguments.h"

namespace fastmetrics {
namespace {

constexpr int kLanes = 32;
constexpr int64_t kMostParts = 256;
constexpr int64_t kSmallestPart = 4096;  // pairs
constexpr int kBlock = 512;

using Batch = PairsBatch;
using Sums = PairsSums;

template <bool kSquared, bool kAbsolute, typename X, typename Y>
void add_lanes(const X* x, const Y* y, int64_t n, double* squared, double* absolute) {
  double s[kLanes] = {}, a[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) {
      const double d = static_cast<double>(widen(x[i + j])) - static_cast<double>(widen(y[i + j]));
      if (kSquared) s[j] += d * d;
      if (kAbsolute) a[j] += std::fabs(d);
    }
  }
  for (int j = 0; i < n; ++i, ++j) {
    const double d = static_cast<double>(widen(x[i])) - static_cast<double>(widen(y[i]));
    if (kSquared) s[j] += d * d;
    if (kAbsolute) a[j] += std::fabs(d);
  }
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) {
      s[j] += s[j + width];
      a[j] += a[j + width];
    }
  }
  if (kSquared) *squared += s[0];
  if (kAbsolute) *absolute += a[0];
}

template <typename X, typename Y>
void add_neighbours(const X* x, const Y* y, int64_t n, const Sums& sums) {
  if (sums.squared != nullptr && sums.absolute != nullptr) {
    add_lanes<true, true>(x, y, n, sums.squared, sums.absolute);
  } else if (sums.squared != nullptr) {
    add_lanes<true, false>(x, y, n, sums.squared, nullptr);
  } else if (sums.absolute != nullptr) {
    add_lanes<false, true>(x, y, n, nullptr, sums.absolute);
  }
}

void to_double(const void* data, DType type, int64_t offset, int64_t stride, int n, double* to) {
  auto copy = [&](auto t) {
    const auto* from = static_cast<const decltype(t)*>(data) + offset;
    for (int i = 0; i < n; ++i) to[i] = static_cast<double>(widen(from[i * stride]));
  };
  auto copy_integers = [&](auto t) {
    const auto* from = static_cast<const decltype(t)*>(data) + offset;
    for (int i = 0; i < n; ++i) to[i] = static_cast<double>(from[i * stride]);
  };
  if (is_floating(type)) {
    with_score_type(type, copy);
  } else {
    with_label_type(type, copy_integers);
  }
}

// One output of the pairs of one run.
void add_run(const Batch& b, int64_t a_at, int64_t a_step, int64_t b_at, int64_t b_step, int64_t n, const Sums& sums) {
  if (a_step == 1 && b_step == 1 && b.preds_type == b.target_type && is_floating(b.preds_type)) {
    with_score_type(b.preds_type, [&](auto t) {
      using T = decltype(t);
      add_neighbours(static_cast<const T*>(b.preds) + a_at, static_cast<const T*>(b.target) + b_at, n, sums);
    });
    return;
  }
  double x[kBlock], y[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    const int m = static_cast<int>(std::min<int64_t>(kBlock, n - i));
    to_double(b.preds, b.preds_type, a_at + i * a_step, a_step, m, x);
    to_double(b.target, b.target_type, b_at + i * b_step, b_step, m, y);
    add_neighbours(x, y, m, sums);
  }
}

// Pairs [begin, end) of every output, sums of this part [D] each. Rows of many outputs are read a few at a time, so
// that neighbouring outputs are found in the cache.
void add_part(const Batch& b, int64_t begin, int64_t end, const Sums& sums) {
  const Layout& layout = b.layout;
  const int64_t a_step = layout.a_stride[layout.dims - 1], b_step = layout.b_stride[layout.dims - 1];
  while (begin < end) {
    int64_t a_at, b_at;
    int64_t n = std::min(layout.locate(begin, &a_at, &b_at), end - begin);
    if (b.outputs > 1) n = std::min(n, std::max<int64_t>(32, 4096 / b.outputs));
    for (int64_t d = 0; d < b.outputs; ++d) {
      const Sums of{sums.squared == nullptr ? nullptr : sums.squared + d,
                    sums.absolute == nullptr ? nullptr : sums.absolute + d};
      add_run(b, a_at + d * b.a_output, a_step, b_at + d * b.b_output, b_step, n, of);
    }
    begin += n;
  }
}

void pairs(const Batch& b, int64_t* count, const Sums& sums) {
  const int64_t n = b.layout.samples(), outputs = b.outputs;
  *count += n;
  if (n == 0 || (sums.squared == nullptr && sums.absolute == nullptr)) return;
  const int64_t most = std::max<int64_t>(1, std::min(kMostParts, kMostParts * 64 / outputs));
  const int64_t parts = std::max<int64_t>(1, std::min(most, n * outputs / kSmallestPart));
  const int64_t per_part = (n + parts - 1) / parts;
  std::vector<double> partial(parts * 2 * outputs, 0.0);  // [part, 2, D]
  split(parts, threads_for(n * outputs), [&](int, int64_t first, int64_t last) {
    for (int64_t part = first; part < last; ++part) {
      double* mine = &partial[part * 2 * outputs];
      add_part(b, std::min(n, part * per_part), std::min(n, (part + 1) * per_part),
               {sums.squared == nullptr ? nullptr : mine, sums.absolute == nullptr ? nullptr : mine + outputs});
    }
  });
  for (int64_t d = 0; d < outputs; ++d) {
    double squared = 0.0, absolute = 0.0;
    for (int64_t part = 0; part < parts; ++part) {
      squared += partial[part * 2 * outputs + d];
      absolute += partial[part * 2 * outputs + outputs + d];
    }
    if (sums.squared != nullptr) sums.squared[d] += squared;
    if (sums.absolute != nullptr) sums.absolute[d] += absolute;
  }
}

void pairs_cpu(const Tensor preds, const Tensor target, Tensor count, OptionalTensor squared_error,
               OptionalTensor absolute_error, int64_t num_outputs) {
  pairs(pairs_batch(preds, target, num_outputs), pairs_count(count),
        pairs_sums(squared_error, absolute_error, num_outputs));
}

}  // namespace
}  // namespace fastmetrics

STABLE_TORCH_LIBRARY_IMPL(fastmetrics, CPU, m) { m.impl("pairs_", TORCH_BOX(&fastmetrics::pairs_cpu)); }
