// SPDX-License-Identifier: Apache-2.0

#include <type_traits>

#include "common/cpu.h"
#include "common/simd.h"

namespace fastmetrics {
namespace {

// Neighbours a vector at a time, as below; returns how many were done. The compiler makes much of a loop over int64
// that is little by their halves.
int narrow_neighbours(const int64_t* from, int n, int32_t classes, const int64_t* ignore, int32_t* to,
                      int32_t* any_bad) {
  Mask32 bad = {};
  int i = 0;
  for (; i + kFloats <= n; i += kFloats) {
    const Longs v = load_longs(from + i);
    Mask32 good = below(v, classes);
    I32s label = select(good, low_halves(v), I32s{} + kBad);
    if (ignore != nullptr) {
      const Mask32 ignored = equal(v, *ignore);
      label = select(ignored, I32s{} + kIgnored, label);
      good = good | ignored;
    }
    bad |= ~good;
    store(label, to + i);
  }
  if (any(bad)) *any_bad = kBad;
  return i;
}

template <typename T>
bool narrow_labels(const T* from, int64_t stride, int n, int64_t classes, const int64_t* ignore, int32_t* to) {
  int32_t bad = 0;
  int done = 0;
  const uint64_t limit = static_cast<uint64_t>(classes);
  if constexpr (std::is_same<T, int64_t>::value) {
    if (stride == 1 && classes > 0 && classes <= INT32_MAX) {
      done = narrow_neighbours(from, n, static_cast<int32_t>(classes), ignore, to, &bad);
    }
  }
  auto narrow = [&](auto step, auto has_ignore) {
    const int64_t skip = has_ignore ? *ignore : 0;
    for (int i = done; i < n; ++i) {
      const int64_t v = static_cast<int64_t>(from[i * step]);
      const bool ignored = has_ignore && v == skip;
      const int32_t label = static_cast<uint64_t>(v) < limit ? static_cast<int32_t>(v) : kBad;
      to[i] = ignored ? kIgnored : label;
      bad |= ignored ? 0 : label;
    }
  };
  auto with_step = [&](auto step) {
    ignore == nullptr ? narrow(step, std::false_type{}) : narrow(step, std::true_type{});
  };
  if (stride == 1) {
    with_step(std::integral_constant<int64_t, 1>{});
  } else {
    with_step(stride);
  }
  return bad < 0;
}

}  // namespace

bool narrow_labels(const void* data, DType type, int64_t offset, int64_t stride, int n, int64_t classes,
                   const int64_t* ignore, int32_t* to) {
  bool bad = false;
  with_label_type(type, [&](auto t) {
    using T = decltype(t);
    bad = narrow_labels(static_cast<const T*>(data) + offset, stride, n, classes, ignore, to);
  });
  return bad;
}

void to_doubles(const void* data, DType type, int64_t offset, int64_t stride, int n, double* to) {
  auto convert = [&](auto step) {
    if (is_floating(type)) {
      with_score_type(type, [&](auto t) {
        const auto* from = static_cast<const decltype(t)*>(data) + offset;
        for (int i = 0; i < n; ++i) to[i] = static_cast<double>(widen(from[i * step]));
      });
    } else {
      with_label_type(type, [&](auto t) {
        const auto* from = static_cast<const decltype(t)*>(data) + offset;
        for (int i = 0; i < n; ++i) to[i] = static_cast<double>(from[i * step]);
      });
    }
  };
  if (stride == 1) {
    convert(std::integral_constant<int64_t, 1>{});
  } else {
    convert(stride);
  }
}

}  // namespace fastmetrics
