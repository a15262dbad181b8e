// SPDX-License-Identifier: Apache-2.0
//
// CUDA's language for g++: included before every kernel source, which is compiled as it is. A thread of a block is a
// fibre, so shared memory is memory of the one thread of the host. What an intrinsic means is here; who waits for whom
// is in runtime.cpp, and which accesses are wrong in memory.cpp.

#pragma once

#include <cuda_runtime_api.h>

#include <cmath>
#include <cstring>

#define __global__
#define __device__
#define __host__
#define __CUDACC__
// g++ does not see what a call that stays one passes by value
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ thread_local

// What is dynamic must have this name, and must be declared in this namespace.
namespace fastmetrics {
extern thread_local __attribute__((aligned(128))) unsigned char shared[];
}

namespace emulator {

// Where in the source a thread waits.
struct Site {
  const char* file;
  int line;
};

// All threads of the block come to the same barrier; how many gave true.
int meet_block(const char* name, bool predicate, Site site);
// Of which none runs meanwhile: an error.
void wait_for_other_blocks();

// The lanes of `mask` come to the same operation; what each of them gave, by lane.
struct Given {
  uint64_t of[32];
  unsigned lanes;  // that gave something
};
Given meet_warp(const char* name, unsigned mask, uint64_t mine, Site site);
int lane();

// Another lane's value; reports a lane that does not take part.
uint64_t given_by(const Given& given, int lane, const char* name, Site site);

void fence();
// Before an atomic access. sets: it does not read.
void atomic(const void* at, size_t size, bool sets);

// A stronger order would make locks of counters in the eyes of ThreadSanitizer.
constexpr int kOrder = __ATOMIC_RELAXED;

template <typename T>
uint64_t bits_of(T value) {
  static_assert(sizeof(T) <= 8, "a warp exchanges at most 8 bytes");
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <typename T>
T from_bits(uint64_t bits) {
  T value;
  memcpy(&value, &bits, sizeof(T));
  return value;
}

// The value of lane `from`, or one's own where that is outside the part of `width` lanes.
template <typename T>
T shuffle(const char* name, unsigned mask, T value, int from, int width, Site site) {
  const Given given = meet_warp(name, mask, bits_of(value), site);
  const int first = lane() / width * width;
  if (from < first || from >= first + width) return value;
  return from_bits<T>(given_by(given, from, name, site));
}

template <typename T, typename F>
T reduce(const char* name, unsigned mask, T value, F f, Site site) {
  const Given given = meet_warp(name, mask, bits_of(value), site);
  bool first = true;
  T total{};
  for (int i = 0; i < 32; ++i) {
    if ((given.lanes >> i & 1) == 0) continue;
    const T other = from_bits<T>(given.of[i]);
    total = first ? other : f(total, other);
    first = false;
  }
  return total;
}

// Replaces *at by f(*at); returns what was there.
template <typename T, typename F>
EMULATOR_UNCHECKED T update(T* at, F f) {
  atomic(at, sizeof(T), false);
  T old;
  __atomic_load(at, &old, kOrder);
  T next = f(old);
  while (!__atomic_compare_exchange(at, &old, &next, false, kOrder, kOrder)) next = f(old);
  return old;
}

}  // namespace emulator

// Of the thread that runs.
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

// The site of the caller, as the last parameter of an intrinsic.
#define EMULATOR_SITE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_SITE) { emulator::meet_block("__syncthreads", false, {file, line}); }
inline int __syncthreads_or(int predicate, EMULATOR_SITE) {
  return emulator::meet_block("__syncthreads_or", predicate != 0, {file, line}) > 0;
}
inline int __syncthreads_and(int predicate, EMULATOR_SITE) {
  return emulator::meet_block("__syncthreads_and", predicate == 0, {file, line}) == 0;
}
inline int __syncthreads_count(int predicate, EMULATOR_SITE) {
  return emulator::meet_block("__syncthreads_count", predicate != 0, {file, line});
}
inline void __syncwarp(unsigned mask = 0xffffffffu, EMULATOR_SITE) {
  emulator::meet_warp("__syncwarp", mask, 0, {file, line});
}

template <typename T>
T __shfl_sync(unsigned mask, T value, int from, int width = 32, EMULATOR_SITE) {
  from = emulator::lane() / width * width + (from & (width - 1));
  return emulator::shuffle("__shfl_sync", mask, value, from, width, {file, line});
}
template <typename T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATOR_SITE) {
  return emulator::shuffle("__shfl_up_sync", mask, value, emulator::lane() - static_cast<int>(delta), width,
                           {file, line});
}
template <typename T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, EMULATOR_SITE) {
  return emulator::shuffle("__shfl_down_sync", mask, value, emulator::lane() + static_cast<int>(delta), width,
                           {file, line});
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EMULATOR_SITE) {
  return emulator::shuffle("__shfl_xor_sync", mask, value, emulator::lane() ^ bits, width, {file, line});
}

inline unsigned __ballot_sync(unsigned mask, int predicate, EMULATOR_SITE) {
  const emulator::Given given = emulator::meet_warp("__ballot_sync", mask, predicate != 0, {file, line});
  unsigned votes = 0;
  for (int i = 0; i < 32; ++i) votes |= (given.lanes >> i & 1) != 0 && given.of[i] != 0 ? 1u << i : 0;
  return votes;
}
inline int __any_sync(unsigned mask, int predicate, EMULATOR_SITE) {
  return __ballot_sync(mask, predicate, file, line) != 0;
}
inline int __all_sync(unsigned mask, int predicate, EMULATOR_SITE) {
  return __ballot_sync(mask, predicate == 0, file, line) == 0;
}
template <typename T>
unsigned __match_any_sync(unsigned mask, T value, EMULATOR_SITE) {
  const uint64_t mine = emulator::bits_of(value);
  const emulator::Given given = emulator::meet_warp("__match_any_sync", mask, mine, {file, line});
  unsigned same = 0;
  for (int i = 0; i < 32; ++i) same |= (given.lanes >> i & 1) != 0 && given.of[i] == mine ? 1u << i : 0;
  return same;
}
template <typename T>
unsigned __match_all_sync(unsigned mask, T value, int* all, EMULATOR_SITE) {
  *all = __match_any_sync(mask, value, file, line) == mask;
  return *all ? mask : 0;
}

#define EMULATOR_REDUCE(name, expression)                                                                \
  template <typename T>                                                                                  \
  T name(unsigned mask, T value, EMULATOR_SITE) {                                                        \
    return emulator::reduce(#name, mask, value, [](T a, T b) -> T { return expression; }, {file, line}); \
  }
EMULATOR_REDUCE(__reduce_add_sync, a + b)
EMULATOR_REDUCE(__reduce_min_sync, a < b ? a : b)
EMULATOR_REDUCE(__reduce_max_sync, a < b ? b : a)
EMULATOR_REDUCE(__reduce_and_sync, a& b)
EMULATOR_REDUCE(__reduce_or_sync, a | b)
EMULATOR_REDUCE(__reduce_xor_sync, a ^ b)
#undef EMULATOR_REDUCE

// The second parameter converts, as it does where CUDA overloads.
template <typename T>
struct EmulatorSame {
  using type = T;
};
#define EMULATOR_ATOMIC(name, expression)                                \
  template <typename T>                                                  \
  T name(T* at, typename EmulatorSame<T>::type value) {                  \
    return emulator::update(at, [&](T old) -> T { return expression; }); \
  }
EMULATOR_ATOMIC(atomicAdd, old + value)
EMULATOR_ATOMIC(atomicSub, old - value)
EMULATOR_ATOMIC(atomicMin, value < old ? value : old)
EMULATOR_ATOMIC(atomicMax, old < value ? value : old)
EMULATOR_ATOMIC(atomicAnd, old& value)
EMULATOR_ATOMIC(atomicOr, old | value)
EMULATOR_ATOMIC(atomicXor, old ^ value)
EMULATOR_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
EMULATOR_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef EMULATOR_ATOMIC
template <typename T>
EMULATOR_UNCHECKED T atomicExch(T* at, typename EmulatorSame<T>::type value) {
  emulator::atomic(at, sizeof(T), true);
  T old;
  __atomic_exchange(at, &value, &old, emulator::kOrder);
  return old;
}
template <typename T>
T atomicCAS(T* at, typename EmulatorSame<T>::type expected, typename EmulatorSame<T>::type value) {
  return emulator::update(at, [&](T old) -> T { return old == expected ? value : old; });
}

inline void __nanosleep(unsigned) { emulator::wait_for_other_blocks(); }
inline void __threadfence() { emulator::fence(); }
inline void __threadfence_system() { emulator::fence(); }
inline void __threadfence_block() {}

template <typename T>
T __ldg(const T* at) {
  return *at;
}
template <typename T>
T __ldcs(const T* at) {
  return *at;
}

#define EMULATOR_VECTOR(name, T)                                                                 \
  struct __attribute__((aligned(2 * sizeof(T)))) name##2 { T x, y; };                            \
  struct __attribute__((aligned(sizeof(T) < 8 ? 4 * sizeof(T) : 16))) name##4 { T x, y, z, w; }; \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                                     \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMULATOR_VECTOR(char, signed char)
EMULATOR_VECTOR(uchar, unsigned char)
EMULATOR_VECTOR(short, short)
EMULATOR_VECTOR(ushort, unsigned short)
EMULATOR_VECTOR(int, int)
EMULATOR_VECTOR(uint, unsigned)
EMULATOR_VECTOR(longlong, long long)
EMULATOR_VECTOR(ulonglong, unsigned long long)
EMULATOR_VECTOR(float, float)
EMULATOR_VECTOR(double, double)
#undef EMULATOR_VECTOR

// Byte i of the result is the one that bits 4 * i to 4 * i + 2 of the selector name: 0 to 3 of x, 4 to 7 of y.
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const unsigned long long bytes = static_cast<unsigned long long>(y) << 32 | x;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) result |= static_cast<unsigned>(bytes >> (selector >> 4 * i & 7u) * 8 & 0xffu) << 8 * i;
  return result;
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __clzll(long long x) { return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline float __uint_as_float(unsigned x) { return emulator::from_bits<float>(x); }
inline float __int_as_float(int x) { return emulator::from_bits<float>(emulator::bits_of(x)); }
inline unsigned __float_as_uint(float x) { return emulator::from_bits<unsigned>(emulator::bits_of(x)); }
inline int __float_as_int(float x) { return emulator::from_bits<int>(emulator::bits_of(x)); }
inline double __longlong_as_double(long long x) { return emulator::from_bits<double>(emulator::bits_of(x)); }
inline long long __double_as_longlong(double x) { return emulator::from_bits<long long>(emulator::bits_of(x)); }
