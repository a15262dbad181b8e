// SPDX-License-Identifier: Apache-2.0
//
// Sorting of floating point numbers by magnitude, the greatest first; their signs stay with them and decide nothing.
//
// Magnitudes are mostly probabilities, so they are dealt first into buckets of equal width between 0 and 1: one walk
// over memory, whose writes are gathered to cache lines. A bucket then fits a cache and its bits differ in few places,
// which a radix sort takes in two passes. A bucket that is far greater than the others, as of scores that are mostly 0
// or 1, is dealt again, by its leading bits, until it is small.

#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "common/cpu.h"
#include "common/memory_cpu.h"
#include "common/simd.h"

namespace fastmetrics {

template <typename T>
class MagnitudeSort {
 public:
  using Bits = BitsOf<T>;

  // How many numbers there are, and how many distinct magnitudes they have.
  struct Found {
    int64_t numbers = 0, distinct = 0;
  };

  // Sorts n numbers to `to`, which has room for them and may be `from`; NaN is left out.
  static Found sort(const T* from, int64_t n, int threads, T* to) {
    Bits* sorted = reinterpret_cast<Bits*>(to);
    if (n <= kFew) {
      const int64_t numbers = insert(from, n, sorted);
      return {numbers, distinct(sorted, numbers)};
    }
    Scratch scratch(n);
    const int log2 = std::clamp(63 - __builtin_clzll(static_cast<uint64_t>(n)) - kLog2InBucket, 1, kMostLog2);
    const int32_t buckets = 1 << log2;
    const auto digits = [&](int64_t first, int m, int32_t* to) { widths(from + first, m, buckets, to); };
    const auto number = [&](int64_t i) { return bits_at(from + i); };
    const auto begin = deal(n, threads, buckets + 1, scratch.bits, digits, number);
    std::vector<Bucket> left;
    for (int32_t b = 0; b < buckets; ++b) {
      if (begin[b] < begin[b + 1]) left.push_back({begin[b], begin[b + 1], true});
    }
    return {begin[buckets], sort_buckets(&left, scratch.bits, sorted, begin[buckets], threads)};
  }

 private:
  static constexpr Bits kMagnitude = static_cast<Bits>(~Bits{0}) >> 1;
  static constexpr Bits kInfinity = sizeof(T) == 8            ? static_cast<Bits>(0x7ff0000000000000u)
                                    : sizeof(T) == 4          ? static_cast<Bits>(0x7f800000u)
                                    : std::is_same_v<T, Half> ? static_cast<Bits>(0x7c00u)
                                                              : static_cast<Bits>(0x7f80u);
  static constexpr int64_t kFew = 48;
  static constexpr int kLog2InBucket = 11, kMostLog2 = 11;  // numbers in a bucket, if all are alike; buckets
  static constexpr int kDigit = 11;
  static constexpr int kDigitBlock = 512;
  static constexpr int64_t kLineFrom = 1 << 18;  // numbers from which on writes are gathered to lines
  static constexpr int kLine = 64 / sizeof(Bits);

  struct Bucket {
    int64_t begin, end;
    bool in_scratch;
  };

  // Room for n numbers that begins where a cache line does.
  struct Scratch {
    std::unique_ptr<Bits[]> memory;
    Bits* bits;

    explicit Scratch(int64_t n) : memory(new Bits[n + kLine]) {
      bits = reinterpret_cast<Bits*>((reinterpret_cast<uintptr_t>(memory.get()) + 63) & ~uintptr_t{63});
      prefer_huge_pages(bits, n * sizeof(Bits));
    }
  };

  static Bits bits_at(const T* from) {
    Bits bits;
    memcpy(&bits, from, sizeof(bits));
    return bits;
  }
  static Bits magnitude(Bits x) { return x & kMagnitude; }

  static int64_t insert(const T* from, int64_t n, Bits* to) {
    int64_t m = 0;
    for (int64_t i = 0; i < n; ++i) {
      const Bits x = bits_at(from + i);
      if (magnitude(x) > kInfinity) continue;
      int64_t at = m++;
      for (; at > 0 && magnitude(to[at - 1]) < magnitude(x); --at) to[at] = to[at - 1];
      to[at] = x;
    }
    return m;
  }

  // How many distinct magnitudes n sorted numbers have.
  static int64_t distinct(const Bits* sorted, int64_t n) {
    int64_t found = n > 0;
    for (int64_t i = 1; i < n; ++i) found += magnitude(sorted[i]) != magnitude(sorted[i - 1]);
    return found;
  }

  // The buckets of m numbers by width, the last one for the least; NaN goes to one more.
  static void widths(const T* from, int m, int32_t buckets, int32_t* to) {
    using V = decltype(widen(T{}));
    const V scale = static_cast<V>(buckets - 1);
    for (int i = 0; i < m; ++i) {
      const V x = std::fabs(widen(from[i])), within = x < V(1) ? x : V(1);
      const int32_t bucket = buckets - 1 - static_cast<int32_t>(within * scale);
      to[i] = x == x ? bucket : buckets;
    }
  }

  // Writes n numbers bucket by bucket; digits(first, m, to) finds the buckets of m of them, of which there are up to
  // kDigitBlock, and number(i) is one. Returns where the buckets begin, and the last one ends.
  template <typename D, typename N>
  static std::vector<int64_t> deal(int64_t n, int threads, int32_t buckets, Bits* to, const D& digits,
                                   const N& number) {
    const Parts parts(n, threads);
    std::vector<std::vector<int64_t>> at(parts.count);
    const auto for_digits = [&](int64_t begin, int64_t end, const auto& f) {
      alignas(64) int32_t digit[kDigitBlock];
      for (int64_t i = begin; i < end; i += kDigitBlock) {
        const int m = static_cast<int>(std::min<int64_t>(kDigitBlock, end - i));
        digits(i, m, digit);
        for (int j = 0; j < m; ++j) f(i + j, digit[j]);
      }
    };
    parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
      at[p].assign(buckets, 0);
      int64_t* count = at[p].data();
      for_digits(begin, end, [&](int64_t, int32_t digit) { ++count[digit]; });
    });
    std::vector<int64_t> begins(buckets + 1);
    const int64_t off = static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % 64 / sizeof(Bits));  // from a line
    int64_t before = 0;
    for (int32_t b = 0; b < buckets; ++b) {
      begins[b] = before;
      for (auto& of_part : at) {
        if (of_part.empty()) continue;
        const int64_t count = of_part[b];
        of_part[b] = off + before;
        before += count;
      }
    }
    begins[buckets] = before;
    parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
      int64_t* next = at[p].data();
      Bits* base = to - off;
      if (n < kLineFrom) {
        for_digits(begin, end, [&](int64_t i, int32_t digit) { base[next[digit]++] = number(i); });
        return;
      }
      std::unique_ptr<Line[]> lines(new Line[buckets]);
      const std::vector<int64_t> first(at[p]);
      for_digits(begin, end, [&](int64_t i, int32_t digit) {
        const int64_t place = next[digit]++;
        Bits* line = lines[digit].bits;
        line[place % kLine] = number(i);
        if (place % kLine != kLine - 1) return;
        const int64_t line_at = place - (kLine - 1);
        if (first[digit] <= line_at) {
          stream_line(line, base + line_at);
        } else {  // the line begins with what is another's
          std::copy(line + first[digit] % kLine, line + kLine, base + first[digit]);
        }
      });
      for (int32_t b = 0; b < buckets; ++b) {
        for (int64_t i = std::max(first[b], next[b] / kLine * kLine); i < next[b]; ++i) {
          base[i] = lines[b].bits[i % kLine];
        }
      }
      streams_written();
    });
    return begins;
  }
  struct alignas(64) Line {
    Bits bits[kLine];
  };

  // Sorts buckets of [0, n), each in the scratch or in `sorted`, to `sorted`. Returns how many magnitudes are distinct;
  // equal ones are never in two buckets.
  static int64_t sort_buckets(std::vector<Bucket>* left, Bits* scratch, Bits* sorted, int64_t n, int threads) {
    const int64_t great = std::max<int64_t>(kLineFrom, n / 8);
    std::vector<Bucket> small;
    std::atomic<int64_t> found{0};
    while (!left->empty()) {
      const Bucket bucket = left->back();
      left->pop_back();
      if (bucket.end - bucket.begin < great) {
        small.push_back(bucket);
      } else {
        found += deal_again(bucket, scratch, sorted, threads, left);
      }
    }
    std::atomic<size_t> next{0};
    split(threads, threads, [&](int, int64_t, int64_t) {
      int64_t runs = 0;
      for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < small.size();) {
        const Bucket& b = small[i];
        Bits* of_scratch = scratch + b.begin;
        Bits* of_sorted = sorted + b.begin;
        sort_bucket(b.in_scratch ? of_scratch : of_sorted, b.in_scratch ? of_sorted : of_scratch, b.end - b.begin,
                    of_sorted);
        runs += distinct(of_sorted, b.end - b.begin);
      }
      found += runs;
    });
    return found;
  }

  // Deals a bucket by the leading bits in which its numbers differ. What is sorted by that alone is not left; returns
  // how many distinct magnitudes it has.
  static int64_t deal_again(const Bucket& bucket, Bits* scratch, Bits* sorted, int threads, std::vector<Bucket>* left) {
    const int64_t n = bucket.end - bucket.begin;
    const Bits* from = (bucket.in_scratch ? scratch : sorted) + bucket.begin;
    Bits* to = (bucket.in_scratch ? sorted : scratch) + bucket.begin;
    const Parts parts(n, threads);
    std::vector<Bits> greatest(parts.count, 0), least(parts.count, kMagnitude);
    parts.for_each(threads, [&](int64_t p, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        greatest[p] = std::max(greatest[p], magnitude(from[i]));
        least[p] = std::min(least[p], magnitude(from[i]));
      }
    });
    const Bits most = *std::max_element(greatest.begin(), greatest.end());
    const int width = width_of(most - *std::min_element(least.begin(), least.end()));
    const int shift = std::max(0, width - kDigit);
    const auto digits = [&](int64_t first, int m, int32_t* to) {
      for (int i = 0; i < m; ++i) to[i] = static_cast<int32_t>((most - magnitude(from[first + i])) >> shift);
    };
    if (width == 0) {  // all are equal
      if (bucket.in_scratch) {
        parts.for_each(threads,
                       [&](int64_t, int64_t begin, int64_t end) { std::copy(from + begin, from + end, to + begin); });
      }
      return 1;
    }
    const auto begins = deal(n, threads, 1 << (width - shift), to, digits, [&](int64_t i) { return from[i]; });
    if (shift == 0 && !bucket.in_scratch) {
      parts.for_each(threads, [&](int64_t, int64_t begin, int64_t end) {
        std::copy(to + begin, to + end, sorted + bucket.begin + begin);
      });
    }
    int64_t found = 0;
    for (size_t b = 0; b + 1 < begins.size(); ++b) {
      if (begins[b] == begins[b + 1]) continue;
      if (shift == 0) {
        ++found;
      } else {
        left->push_back({bucket.begin + begins[b], bucket.begin + begins[b + 1], !bucket.in_scratch});
      }
    }
    return found;
  }

  static int width_of(Bits x) { return x == 0 ? 0 : 64 - __builtin_clzll(static_cast<uint64_t>(x)); }

  // Sorts n numbers to `to`, which is `from` or `other`, by radix from the least digit up.
  static void sort_bucket(Bits* from, Bits* other, int64_t n, Bits* to) {
    if (n <= kFew) {
      if (from == to) return insert_sort(from, n, other, to);
      return insert_sort(from, n, to, to);
    }
    Bits most = 0, least = kMagnitude;
    for (int64_t i = 0; i < n; ++i) {
      most = std::max(most, magnitude(from[i]));
      least = std::min(least, magnitude(from[i]));
    }
    const int width = width_of(most - least), passes = (width + kDigit - 1) / kDigit;
    const int digit = passes == 0 ? 0 : (width + passes - 1) / passes, size = 1 << digit;
    uint32_t at[1 << kDigit];
    for (int pass = 0; pass < passes; ++pass) {
      const int shift = pass * digit;
      const auto digit_of = [=](Bits x) { return static_cast<int>((most - magnitude(x)) >> shift) & (size - 1); };
      std::fill_n(at, size, 0);
      for (int64_t i = 0; i < n; ++i) ++at[digit_of(from[i])];
      uint32_t before = 0;
      for (int d = 0; d < size; ++d) {
        const uint32_t count = at[d];
        at[d] = before;
        before += count;
      }
      for (int64_t i = 0; i < n; ++i) {
        const Bits x = from[i];
        other[at[digit_of(x)]++] = x;
      }
      std::swap(from, other);
    }
    if (from != to) std::copy(from, from + n, to);
  }

  static void insert_sort(const Bits* from, int64_t n, Bits* by, Bits* to) {
    for (int64_t i = 0; i < n; ++i) {
      const Bits x = from[i];
      int64_t at = i;
      for (; at > 0 && magnitude(by[at - 1]) < magnitude(x); --at) by[at] = by[at - 1];
      by[at] = x;
    }
    if (by != to) std::copy(by, by + n, to);
  }
};

}  // namespace fastmetrics
