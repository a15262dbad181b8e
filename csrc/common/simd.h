// SPDX-License-Identifier: Apache-2.0
//
// Vectors of one register, and what of an instruction set the compiler's own vectors do not reach. Arithmetic,
// comparisons and choices are those of the compiler; it takes vectors wider than a register apart to single lanes.
//
// A mask says of each lane whether it is meant: bits with AVX-512, and else a vector whose lanes are 0 or -1.

#pragma once

#include <cstdint>
#include <cstring>

#include "rules/half.h"

#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define FM_AVX512
#elif defined(__AVX2__) && defined(__F16C__)
#define FM_AVX2
#elif defined(__SSE2__)
#define FM_SSE2
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(__ARM_BIG_ENDIAN)
#define FM_NEON
#endif

#if defined(FM_AVX512) || defined(FM_AVX2)
#include <immintrin.h>
#elif defined(FM_SSE2)
#include <emmintrin.h>
#elif defined(FM_NEON)
#include <arm_neon.h>
#endif

namespace fastmetrics {

#if defined(FM_AVX512)
constexpr int kRegister = 64;  // bytes
#elif defined(FM_AVX2)
constexpr int kRegister = 32;
#else
constexpr int kRegister = 16;
#endif
constexpr int kFloats = kRegister / 4, kDoubles = kRegister / 8;

using F32s = float __attribute__((vector_size(kRegister)));
using F64s = double __attribute__((vector_size(kRegister)));
using I32s = int32_t __attribute__((vector_size(kRegister)));
using I64s = int64_t __attribute__((vector_size(kRegister)));
using U32s = uint32_t __attribute__((vector_size(kRegister)));
using U64s = uint64_t __attribute__((vector_size(kRegister)));
using HalfF32s = float __attribute__((vector_size(kRegister / 2)));
// As many numbers without a sign as a register has; an alias alone would lose the attribute.
template <typename U>
struct LanesFor {
  typedef U Type __attribute__((vector_size(kRegister)));
};
template <typename U>
using LanesOf = typename LanesFor<U>::Type;

template <typename V, typename T>
inline V load(const T* from) {
  V v;
  memcpy(&v, from, sizeof(V));
  return v;
}

template <typename V, typename T>
inline void store(V v, T* to) {
  memcpy(to, &v, sizeof(V));
}

// 0, 1, 2 and so on.
template <typename I>
inline I lane_numbers() {
  I numbers;
  for (int j = 0; j < static_cast<int>(sizeof(I) / sizeof(numbers[0])); ++j) numbers[j] = j;
  return numbers;
}

// Widening is exact. The compiler would take these conversions apart.

inline F64s as_doubles(HalfF32s values) {
#if defined(FM_AVX512)
  return (F64s)_mm512_cvtps_pd((__m256)values);
#elif defined(FM_AVX2)
  return (F64s)_mm256_cvtps_pd((__m128)values);
#else
  return __builtin_convertvector(values, F64s);
#endif
}

// As many scores as a register has floats, as floats.
inline F32s widen_floats(const float* from) { return load<F32s>(from); }
// As many scores as a register has doubles, as doubles.
inline F64s widen_doubles(const double* from) { return load<F64s>(from); }
inline F64s widen_doubles(const float* from) { return as_doubles(load<HalfF32s>(from)); }

#if defined(FM_AVX512)
inline F32s as_floats(BFloat16, __m256i bits) { return (F32s)_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16); }
inline F32s as_floats(Half, __m256i bits) { return (F32s)_mm512_cvtph_ps(bits); }
inline HalfF32s as_floats(BFloat16, __m128i bits) {
  return (HalfF32s)_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16);
}
inline HalfF32s as_floats(Half, __m128i bits) { return (HalfF32s)_mm256_cvtph_ps(bits); }
template <typename T>
inline F32s widen_floats(const T* from) {
  return as_floats(T{}, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
template <typename T>
inline F64s widen_doubles(const T* from) {
  return as_doubles(as_floats(T{}, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
#elif defined(FM_AVX2)
inline F32s as_floats(BFloat16, __m128i bits) { return (F32s)_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16); }
inline F32s as_floats(Half, __m128i bits) { return (F32s)_mm256_cvtph_ps(bits); }
inline HalfF32s as_half_floats(BFloat16, __m128i bits) {
  return (HalfF32s)_mm_slli_epi32(_mm_cvtepu16_epi32(bits), 16);
}
inline HalfF32s as_half_floats(Half, __m128i bits) { return (HalfF32s)_mm_cvtph_ps(bits); }
template <typename T>
inline F32s widen_floats(const T* from) {
  return as_floats(T{}, _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}
template <typename T>
inline F64s widen_doubles(const T* from) {
  return as_doubles(as_half_floats(T{}, _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
#else
#if defined(FM_SSE2)
inline U32s as_integers(const void* from) {
  return (U32s)_mm_unpacklo_epi16(_mm_loadl_epi64(static_cast<const __m128i*>(from)), _mm_setzero_si128());
}
#else
inline U32s as_integers(const void* from) {
  using Shorts = uint16_t __attribute__((vector_size(8)));
  return __builtin_convertvector(load<Shorts>(static_cast<const char*>(from)), U32s);
}
#endif
inline F32s widen_floats(const BFloat16* from) { return (F32s)(as_integers(from) << 16); }
inline F32s widen_floats(const Half* from) {  // as widen(Half)
#if defined(FM_NEON)
  return (F32s)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(&from->bits)));
#else
  const U32s bits = as_integers(from), magnitude = (bits & 0x7fffu) << 13, sign = (bits & 0x8000u) << 16;
  const U32s scaled = (U32s)((F32s)magnitude * float_from_bits(0x77800000u));
  return (F32s)(scaled | ((U32s)((bits & 0x7c00u) == 0x7c00u) & 0x7f800000u) | sign);
#endif
}
template <typename T>
inline F64s widen_doubles(const T* from) {
  return F64s{widen(from[0]), widen(from[1])};
}
#endif

// As many bytes as a register has integers, those of `low` first, the least of each first.
inline I32s widen_bytes(uint64_t low, uint64_t high) {
#if defined(FM_AVX512)
  return (I32s)_mm512_cvtepu8_epi32(_mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low)));
#elif defined(FM_AVX2)
  (void)high;
  return (I32s)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<int64_t>(low)));
#else
  (void)high;
  I32s v;
  for (int j = 0; j < kFloats; ++j) v[j] = static_cast<int32_t>(low >> (8 * j) & 255);
  return v;
#endif
}

// As many scores as two registers have floats; their order is not kept.
template <typename T>
inline void widen_pair(const T* from, F32s* a, F32s* b) {
  *a = widen_floats(from);
  *b = widen_floats(from + kFloats);
}
inline void widen_pair(const BFloat16* from, F32s* a, F32s* b) {
  const U32s pairs = load<U32s>(from);
  *a = (F32s)(pairs << 16);
  *b = (F32s)(pairs & 0xffff0000u);
}

// Masks. not_less and not_at_most hold where either is NaN; the other comparisons do not.

#if defined(FM_AVX512)
template <typename Bits>
struct MaskOf {
  Bits bits = 0;

  friend MaskOf operator&(MaskOf a, MaskOf b) { return {static_cast<Bits>(a.bits & b.bits)}; }
  friend MaskOf operator|(MaskOf a, MaskOf b) { return {static_cast<Bits>(a.bits | b.bits)}; }
  friend MaskOf operator~(MaskOf a) { return {static_cast<Bits>(~a.bits)}; }
  MaskOf& operator|=(MaskOf other) { return *this = *this | other; }
};
using Mask32 = MaskOf<__mmask16>;
using Mask64 = MaskOf<__mmask8>;

#define FM_COMPARE(name, floats, integers)                                                                 \
  inline Mask32 name(F32s a, F32s b) { return {_mm512_cmp_ps_mask((__m512)a, (__m512)b, floats)}; }        \
  inline Mask64 name(F64s a, F64s b) { return {_mm512_cmp_pd_mask((__m512d)a, (__m512d)b, floats)}; }      \
  inline Mask32 name(I32s a, I32s b) { return {_mm512_cmp_epi32_mask((__m512i)a, (__m512i)b, integers)}; } \
  inline Mask64 name(I64s a, I64s b) { return {_mm512_cmp_epi64_mask((__m512i)a, (__m512i)b, integers)}; }
FM_COMPARE(greater, _CMP_GT_OQ, _MM_CMPINT_NLE)
FM_COMPARE(at_least, _CMP_GE_OQ, _MM_CMPINT_NLT)
FM_COMPARE(equal, _CMP_EQ_OQ, _MM_CMPINT_EQ)
FM_COMPARE(not_less, _CMP_NLT_UQ, _MM_CMPINT_NLT)
FM_COMPARE(not_at_most, _CMP_NLE_UQ, _MM_CMPINT_NLE)
#undef FM_COMPARE
#define FM_COMPARE_LANES(size, lanes)                                                           \
  inline MaskOf<__mmask##lanes> greater(LanesOf<uint##size##_t> a, LanesOf<uint##size##_t> b) { \
    return {_mm512_cmpgt_epu##size##_mask((__m512i)a, (__m512i)b)};                             \
  }                                                                                             \
  inline MaskOf<__mmask##lanes> equal(LanesOf<uint##size##_t> a, LanesOf<uint##size##_t> b) {   \
    return {_mm512_cmpeq_epu##size##_mask((__m512i)a, (__m512i)b)};                             \
  }
FM_COMPARE_LANES(8, 64)
FM_COMPARE_LANES(16, 32)
FM_COMPARE_LANES(32, 16)
FM_COMPARE_LANES(64, 8)
#undef FM_COMPARE_LANES
inline Mask32 unordered(F32s a, F32s b) { return {_mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_UNORD_Q)}; }
inline Mask64 unordered(F64s a, F64s b) { return {_mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_UNORD_Q)}; }

template <typename Bits>
inline bool any(MaskOf<Bits> mask) {
  return mask.bits != 0;
}
template <typename Bits>
inline uint32_t bits_of(MaskOf<Bits> mask) {
  return mask.bits;
}
inline int lanes_in(Mask32 mask) { return __builtin_popcount(mask.bits); }

inline I32s select(Mask32 mask, I32s a, I32s b) {
  return (I32s)_mm512_mask_mov_epi32((__m512i)b, mask.bits, (__m512i)a);
}
inline I64s select(Mask64 mask, I64s a, I64s b) {
  return (I64s)_mm512_mask_mov_epi64((__m512i)b, mask.bits, (__m512i)a);
}
// The value where the mask says so.
inline I32s put(Mask32 mask, int32_t value, I32s to) {
  return (I32s)_mm512_mask_set1_epi32((__m512i)to, mask.bits, value);
}
inline I64s put(Mask64 mask, int64_t value, I64s to) {
  return (I64s)_mm512_mask_set1_epi64((__m512i)to, mask.bits, value);
}
// One more where the mask says so.
inline I32s count(Mask32 mask, I32s to) {
  return (I32s)_mm512_mask_add_epi32((__m512i)to, mask.bits, (__m512i)to, _mm512_set1_epi32(1));
}
inline I64s count(Mask64 mask, I64s to) {
  return (I64s)_mm512_mask_add_epi64((__m512i)to, mask.bits, (__m512i)to, _mm512_set1_epi64(1));
}
// The last n lanes, or all of them.
template <typename Mask>
inline Mask last_lanes(int64_t n) {
  constexpr int kLanes = sizeof(Mask) * 8;
  return {static_cast<decltype(Mask::bits)>(n >= kLanes ? ~0u : n <= 0 ? 0u : ~0u << (kLanes - n))};
}

// x where it is greater, and else y.
inline F32s greater_of(F32s x, F32s y) { return (F32s)_mm512_max_ps((__m512)x, (__m512)y); }
inline F64s greater_of(F64s x, F64s y) { return (F64s)_mm512_max_pd((__m512d)x, (__m512d)y); }
inline I32s greater_of(I32s x, I32s y) { return (I32s)_mm512_max_epi32((__m512i)x, (__m512i)y); }
inline float greatest_lane(F32s v) { return _mm512_reduce_max_ps((__m512)v); }
inline double greatest_lane(F64s v) { return _mm512_reduce_max_pd((__m512d)v); }
inline int32_t least_lane(I32s v) { return _mm512_reduce_min_epi32((__m512i)v); }
inline int64_t least_lane(I64s v) { return _mm512_reduce_min_epi64((__m512i)v); }
inline int32_t sum_of_lanes(I32s v) { return _mm512_reduce_add_epi32((__m512i)v); }
inline int64_t sum_of_lanes(I64s v) { return _mm512_reduce_add_epi64((__m512i)v); }
inline double sum_of_lanes(F64s v) {  // in their order
  double sum = v[0];
  for (int j = 1; j < kDoubles; ++j) sum += v[j];
  return sum + 0.0;
}
#else
using Mask32 = I32s;
using Mask64 = I64s;

template <typename V>
inline auto greater(V a, V b) {
  return a > b;
}
template <typename V>
inline auto at_least(V a, V b) {
  return a >= b;
}
template <typename V>
inline auto equal(V a, V b) {
  return a == b;
}
template <typename V>
inline auto not_less(V a, V b) {
  return ~(a < b);
}
template <typename V>
inline auto not_at_most(V a, V b) {
  return ~(a <= b);
}
// x where it is greater, and else y.
template <typename V>
inline V greater_of(V x, V y) {
  return x > y ? x : y;
}
#if defined(FM_AVX2)
// One instruction, which a compiler does not choose where the comparison is asked for, too.
inline F32s greater_of(F32s x, F32s y) { return (F32s)_mm256_max_ps((__m256)x, (__m256)y); }
inline F64s greater_of(F64s x, F64s y) { return (F64s)_mm256_max_pd((__m256d)x, (__m256d)y); }
inline Mask32 unordered(F32s a, F32s b) { return (I32s)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_UNORD_Q); }
inline Mask64 unordered(F64s a, F64s b) { return (I64s)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_UNORD_Q); }
inline uint32_t bits_of(Mask32 mask) { return static_cast<uint32_t>(_mm256_movemask_ps((__m256)mask)); }
inline uint32_t bits_of(Mask64 mask) { return static_cast<uint32_t>(_mm256_movemask_pd((__m256d)mask)); }
#elif defined(FM_SSE2)
inline F32s greater_of(F32s x, F32s y) { return (F32s)_mm_max_ps((__m128)x, (__m128)y); }
inline F64s greater_of(F64s x, F64s y) { return (F64s)_mm_max_pd((__m128d)x, (__m128d)y); }
inline Mask32 unordered(F32s a, F32s b) { return (I32s)_mm_cmpunord_ps((__m128)a, (__m128)b); }
inline Mask64 unordered(F64s a, F64s b) { return (I64s)_mm_cmpunord_pd((__m128d)a, (__m128d)b); }
inline uint32_t bits_of(Mask32 mask) { return static_cast<uint32_t>(_mm_movemask_ps((__m128)mask)); }
inline uint32_t bits_of(Mask64 mask) { return static_cast<uint32_t>(_mm_movemask_pd((__m128d)mask)); }
#else
template <typename V>
inline auto unordered(V a, V b) {
  return (a != a) | (b != b);
}
inline uint32_t bits_of(Mask32 mask) {
  mask &= I32s{1, 2, 4, 8};
  return static_cast<uint32_t>(mask[0] | mask[1] | mask[2] | mask[3]);
}
inline uint32_t bits_of(Mask64 mask) { return static_cast<uint32_t>((mask[0] & 1) | (mask[1] & 2)); }
#endif
template <typename Mask>
inline bool any(Mask mask) {
  return bits_of(mask) != 0;
}
inline int lanes_in(Mask32 mask) { return __builtin_popcount(bits_of(mask)); }
template <typename Mask, typename V>
inline V select(Mask mask, V a, V b) {
  return mask ? a : b;
}
template <typename Mask, typename T>
inline Mask put(Mask mask, T value, Mask to) {
  return mask ? Mask{} + value : to;
}
template <typename Mask>
inline Mask count(Mask mask, Mask to) {
  return to - mask;
}
template <typename Mask>
inline Mask last_lanes(int64_t n) {
  constexpr int kLanes = kRegister / sizeof(Mask{}[0]);
  return lane_numbers<Mask>() >= static_cast<decltype(Mask{}[0] + 0)>(kLanes - n);
}
// From the first lane on.
template <typename V, typename F>
inline auto fold(V v, F f) {
  auto found = v[0];
  for (int j = 1; j < static_cast<int>(kRegister / sizeof(found)); ++j) found = f(found, v[j]);
  return found;
}
template <typename V>
inline auto greatest_lane(V v) {
  return fold(v, [](auto a, auto b) { return b > a ? b : a; });
}
template <typename V>
inline auto least_lane(V v) {
  return fold(v, [](auto a, auto b) { return b < a ? b : a; });
}
template <typename V>
inline auto sum_of_lanes(V v) {
  return fold(v, [](auto a, auto b) { return a + b; }) + 0;
}
#endif

// Whether lanes of 64 bits are compared in an instruction; and whether a mask of LanesOf names any lane.
#if defined(FM_AVX512)
constexpr bool kLongLanes = true;
template <typename Bits>
inline bool any_lane(MaskOf<Bits> mask) {
  return mask.bits != 0;
}
#else
constexpr bool kLongLanes = false;
template <typename Mask>
inline bool any_lane(Mask mask) {
  return any((I32s)mask != 0);
}
#endif

// How many lanes masks of LanesOf<U> name.
template <typename U>
class LaneCount {
 public:
  static constexpr int kMost = 255;  // masks before the sum is taken
#if defined(FM_AVX512)
  template <typename Bits>
  void add(MaskOf<Bits> mask) {
    sum_ += __builtin_popcountll(mask.bits);
  }
#else
  template <typename Mask>
  void add(Mask mask) {
    lanes_ -= (LanesOf<U>)mask;
  }
#endif
  // The sum, which is zero then.
  int64_t take() {
#if defined(FM_AVX512)
    int64_t sum = sum_;
#else
    int64_t sum = 0;
    for (int j = 0; j < static_cast<int>(kRegister / sizeof(U)); ++j) sum += lanes_[j];
#endif
    *this = LaneCount();
    return sum;
  }

 private:
#if defined(FM_AVX512)
  int64_t sum_ = 0;
#else
  LanesOf<U> lanes_{};
#endif
};

// The first n lanes, or all of them.
inline Mask32 first_lanes(int64_t n) { return ~last_lanes<Mask32>(kFloats - n); }

// Lanes in pieces of 16 bytes, of which a transposition is made: the piece at `from` and those of rows further on, as
// many rows apart as a piece has lanes; what unpacks the low, or high, halves of the pieces of a and b by turns.

#if defined(FM_AVX512)
inline F32s load_pieces(const float* from, int64_t step) {
  __m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from));
  x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(from + 4 * step));
  x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(from + 8 * step));
  return (F32s)_mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(from + 12 * step));
}
inline F64s load_pieces(const double* from, int64_t step) {
  __m512d x = _mm512_castpd128_pd512(_mm_loadu_pd(from));
  x = _mm512_mask_broadcast_f64x2(x, 0x0c, _mm_loadu_pd(from + 2 * step));
  x = _mm512_mask_broadcast_f64x2(x, 0x30, _mm_loadu_pd(from + 4 * step));
  return (F64s)_mm512_mask_broadcast_f64x2(x, 0xc0, _mm_loadu_pd(from + 6 * step));
}
template <typename T>
inline F32s load_pieces(const T* from, int64_t step) {
  auto four = [&](int64_t row) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + row * step)); };
  __m256i x = _mm256_castsi128_si256(four(0));
  x = _mm256_mask_broadcastq_epi64(x, 2, four(4));
  x = _mm256_mask_broadcastq_epi64(x, 4, four(8));
  return as_floats(T{}, _mm256_mask_broadcastq_epi64(x, 8, four(12)));
}
inline F32s unpack_low(F32s a, F32s b) { return (F32s)_mm512_unpacklo_ps((__m512)a, (__m512)b); }
inline F32s unpack_high(F32s a, F32s b) { return (F32s)_mm512_unpackhi_ps((__m512)a, (__m512)b); }
inline F64s unpack_low(F64s a, F64s b) { return (F64s)_mm512_unpacklo_pd((__m512d)a, (__m512d)b); }
inline F64s unpack_high(F64s a, F64s b) { return (F64s)_mm512_unpackhi_pd((__m512d)a, (__m512d)b); }
#elif defined(FM_AVX2)
inline F32s load_pieces(const float* from, int64_t step) {
  return (F32s)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)), _mm_loadu_ps(from + 4 * step), 1);
}
inline F64s load_pieces(const double* from, int64_t step) {
  return (F64s)_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from)), _mm_loadu_pd(from + 2 * step), 1);
}
template <typename T>
inline F32s load_pieces(const T* from, int64_t step) {
  const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  const __m128i high = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + 4 * step));
  return as_floats(T{}, _mm_unpacklo_epi64(low, high));
}
inline F32s unpack_low(F32s a, F32s b) { return (F32s)_mm256_unpacklo_ps((__m256)a, (__m256)b); }
inline F32s unpack_high(F32s a, F32s b) { return (F32s)_mm256_unpackhi_ps((__m256)a, (__m256)b); }
inline F64s unpack_low(F64s a, F64s b) { return (F64s)_mm256_unpacklo_pd((__m256d)a, (__m256d)b); }
inline F64s unpack_high(F64s a, F64s b) { return (F64s)_mm256_unpackhi_pd((__m256d)a, (__m256d)b); }
#else
inline F64s load_pieces(const double* from, int64_t) { return load<F64s>(from); }
template <typename T>
inline F32s load_pieces(const T* from, int64_t) {
  return widen_floats(from);
}
#if defined(__clang__)
#define FM_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define FM_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, decltype(a < b){__VA_ARGS__})
#endif
inline F32s unpack_low(F32s a, F32s b) { return FM_SHUFFLE(a, b, 0, 4, 1, 5); }
inline F32s unpack_high(F32s a, F32s b) { return FM_SHUFFLE(a, b, 2, 6, 3, 7); }
inline F64s unpack_low(F64s a, F64s b) { return FM_SHUFFLE(a, b, 0, 2); }
inline F64s unpack_high(F64s a, F64s b) { return FM_SHUFFLE(a, b, 1, 3); }
#endif

// Columns of as many rows as a vector has lanes, of neighbours that begin at `from`: four of floats, two of doubles.
template <typename T>
inline void load_columns(const T* from, int64_t step, F32s* column) {
  F32s piece[4];
  for (int r = 0; r < 4; ++r) piece[r] = load_pieces(from + r * step, step);
  const F64s low01 = (F64s)unpack_low(piece[0], piece[1]), low23 = (F64s)unpack_low(piece[2], piece[3]);
  const F64s high01 = (F64s)unpack_high(piece[0], piece[1]), high23 = (F64s)unpack_high(piece[2], piece[3]);
  column[0] = (F32s)unpack_low(low01, low23);
  column[1] = (F32s)unpack_high(low01, low23);
  column[2] = (F32s)unpack_low(high01, high23);
  column[3] = (F32s)unpack_high(high01, high23);
}
inline void load_columns(const double* from, int64_t step, F64s* column) {
  const F64s first = load_pieces(from, step), second = load_pieces(from + step, step);
  column[0] = unpack_low(first, second);
  column[1] = unpack_high(first, second);
}

// As many int64 as a register has int32: as they are, or their low and their high halves.
#if defined(FM_AVX512)
struct Longs {
  __m512i first, second;
};
inline Longs load_longs(const int64_t* from) { return {_mm512_loadu_si512(from), _mm512_loadu_si512(from + 8)}; }
inline Mask32 joined(Mask64 first, Mask64 second) { return {_mm512_kunpackb(second.bits, first.bits)}; }
inline Mask32 equal(const Longs& v, int64_t value) {
  const __m512i all = _mm512_set1_epi64(value);
  return joined({_mm512_cmpeq_epi64_mask(v.first, all)}, {_mm512_cmpeq_epi64_mask(v.second, all)});
}
// Which are in [0, limit).
inline Mask32 below(const Longs& v, int32_t limit) {
  const __m512i all = _mm512_set1_epi64(limit);
  return joined({_mm512_cmplt_epu64_mask(v.first, all)}, {_mm512_cmplt_epu64_mask(v.second, all)});
}
inline I32s low_halves(const Longs& v) {
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return (I32s)_mm512_permutex2var_epi32(v.first, even, v.second);
}
#else
#if defined(FM_AVX2)
inline I32s in_order(__m256 of_both) { return (I32s)_mm256_permute4x64_epi64(_mm256_castps_si256(of_both), 0xd8); }
inline I32s evens(I32s a, I32s b) { return in_order(_mm256_shuffle_ps((__m256)a, (__m256)b, 0x88)); }
inline I32s odds(I32s a, I32s b) { return in_order(_mm256_shuffle_ps((__m256)a, (__m256)b, 0xdd)); }
#else
inline I32s evens(I32s a, I32s b) { return FM_SHUFFLE(a, b, 0, 2, 4, 6); }
inline I32s odds(I32s a, I32s b) { return FM_SHUFFLE(a, b, 1, 3, 5, 7); }
#endif
struct Longs {
  I32s low, high;
};
inline Longs load_longs(const int64_t* from) {
  const I32s a = load<I32s>(from), b = load<I32s>(from + kDoubles);
  return {evens(a, b), odds(a, b)};
}
inline Mask32 joined(Mask64 first, Mask64 second) { return evens((I32s)first, (I32s)second); }
inline Mask32 equal(const Longs& v, int64_t value) {
  return (v.low == static_cast<int32_t>(value)) & (v.high == static_cast<int32_t>(value >> 32));
}
inline Mask32 below(const Longs& v, int32_t limit) {
  return (I32s)((U32s)v.low < static_cast<uint32_t>(limit)) & (v.high == 0);
}
inline I32s low_halves(const Longs& v) { return v.low; }
#endif

// The same in the order that is quickest: in lane j is number_of_lane(j), as in those of mixed(integers).
#if defined(FM_AVX2)
inline Longs load_longs_mixed(const int64_t* from) {
  const __m256 a = load<__m256>(from), b = load<__m256>(from + kDoubles);
  return {(I32s)_mm256_shuffle_ps(a, b, 0x88), (I32s)_mm256_shuffle_ps(a, b, 0xdd)};
}
inline I32s mixed(I32s v) { return (I32s)_mm256_permute4x64_epi64((__m256i)v, 0xd8); }
constexpr int number_of_lane(int lane) { return lane >= 2 && lane < 6 ? lane ^ 6 : lane; }
#else
inline Longs load_longs_mixed(const int64_t* from) { return load_longs(from); }
inline I32s mixed(I32s v) { return v; }
constexpr int number_of_lane(int lane) { return lane; }
#endif

// Stores the lanes that the mask names one after another and returns how many; what lies behind them in a register's
// width is overwritten.
#if defined(FM_AVX512)
inline int compress(Mask32 mask, I32s v, int32_t* to) {
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(mask.bits, (__m512i)v));
  return __builtin_popcount(mask.bits);
}
#elif defined(FM_AVX2)
struct Compressions {
  int32_t order[256][8] = {};

  constexpr Compressions() {
    for (int mask = 0; mask < 256; ++mask) {
      for (int lane = 0, n = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1) != 0) order[mask][n++] = lane;
      }
    }
  }
};
inline constexpr Compressions kCompressions;

inline int compress(Mask32 mask, I32s v, int32_t* to) {
  const uint32_t bits = bits_of(mask);
  store(_mm256_permutevar8x32_epi32((__m256i)v, load<__m256i>(kCompressions.order[bits])), to);
  return __builtin_popcount(bits);
}
#else
inline int compress(Mask32 mask, I32s v, int32_t* to) {
  int n = 0;
  for (int lane = 0; lane < kFloats; ++lane) {
    to[n] = v[lane];
    n -= mask[lane];
  }
  return n;
}
#endif

}  // namespace fastmetrics
