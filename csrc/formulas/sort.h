// SPDX-License-Identifier: Apache-2.0
//
// Sorting of real numbers by their bits: keys that have the order of the values, and a stable radix sort of them.

#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "common/dtype.h"

namespace fastmetrics {

// Unsigned keys in the order of the values: -0 equals +0, NaN is the greatest value and equals itself.
inline uint32_t key_of(float x) {
  if (x != x) return UINT32_MAX;
  x += 0.0f;
  uint32_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
inline uint64_t key_of(double x) {
  if (x != x) return UINT64_MAX;
  x += 0.0;
  uint64_t bits;
  memcpy(&bits, &x, sizeof(bits));
  return bits >> 63 ? ~bits : bits | (uint64_t{1} << 63);
}
inline uint32_t key_of(Half x) { return key_of(widen(x)); }
inline uint32_t key_of(BFloat16 x) { return key_of(widen(x)); }
inline uint64_t key_of(uint64_t x) { return x; }
template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
uint64_t key_of(T x) {
  return static_cast<uint64_t>(static_cast<int64_t>(x)) ^ (uint64_t{1} << 63);
}

template <typename Key>
struct Keyed {
  Key key;
  uint32_t index;
};

// Sorts by key, and keeps the order of equal ones. A digit that all keys share takes no pass.
template <typename Key>
void radix_sort(std::vector<Keyed<Key>>* values) {
  constexpr int kBits = 11, kDigits = (sizeof(Key) * 8 + kBits - 1) / kBits;
  constexpr Key kMask = (Key{1} << kBits) - 1;
  const size_t n = values->size();
  std::vector<uint32_t> counts(size_t{kDigits} << kBits, 0);
  for (const auto& v : *values) {
    for (int d = 0; d < kDigits; ++d) ++counts[(size_t(d) << kBits) + ((v.key >> (d * kBits)) & kMask)];
  }
  std::vector<Keyed<Key>> other(n);
  for (int d = 0; d < kDigits; ++d) {
    uint32_t* count = &counts[size_t(d) << kBits];
    const int shift = d * kBits;
    if (n == 0 || count[((*values)[0].key >> shift) & kMask] == n) continue;
    uint32_t before = 0;
    for (size_t digit = 0; digit <= kMask; ++digit) {
      const uint32_t of_digit = count[digit];
      count[digit] = before;
      before += of_digit;
    }
    for (const auto& v : *values) other[count[(v.key >> shift) & kMask]++] = v;
    values->swap(other);
  }
}

}  // namespace fastmetrics
