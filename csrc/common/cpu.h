// SPDX-License-Identifier: Apache-2.0
//
// What the CPU passes share: threads, memory, the record of faults and the narrowing of labels.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "common/dtype.h"
#include "common/faults.h"

namespace fastmetrics {

// Brings neighbours to the second cache: what a block will read while the one before it is counted, which reads no
// memory. Nothing has to be there.
inline void fetch(const void* data, DType type, int64_t offset, int64_t n) {
  const char* from = static_cast<const char*>(data) + offset * size_of(type);
  for (int64_t byte = 0; byte < n * size_of(type); byte += 64) __builtin_prefetch(from + byte, 0, 2);
}

// The size of torch's pool of threads.
int num_threads();

// How many threads share `work` elements; a small batch is not worth waking one.
inline int threads_for(int64_t work) {
#ifdef _OPENMP
  constexpr int64_t kPerThread = 32768;
  const int64_t wanted = work / kPerThread;
  if (wanted <= 1 || omp_in_parallel()) return 1;
  return static_cast<int>(std::min<int64_t>(wanted, num_threads()));
#else
  (void)work;
  return 1;
#endif
}

// Calls f(thread, begin, end) on consecutive parts of [0, n), in the order of the thread numbers.
template <typename F>
inline void split(int64_t n, int threads, const F& f) {
#ifdef _OPENMP
  if (threads > 1) {
#pragma omp parallel num_threads(threads)
    {
      // fewer threads may have come than were asked for
      const int64_t team = omp_get_num_threads(), id = omp_get_thread_num();
      const int64_t part = (n + team - 1) / team;
      const int64_t begin = std::min(n, id * part), end = std::min(n, begin + part);
      if (begin < end) f(static_cast<int>(id), begin, end);
    }
    return;
  }
#endif
  (void)threads;
  f(0, int64_t{0}, n);
}

// [0, n) in consecutive parts whose number depends on sizes alone: sums of the parts that are added in order have the
// same bits for any number of threads.
struct Parts {
  int64_t n, count, size;

  Parts(int64_t n, int64_t most) : n(n), count(std::max<int64_t>(1, most)), size((n + count - 1) / count) {}

  // Calls f(part, begin, end) for each.
  template <typename F>
  void for_each(int threads, const F& f) const {
    split(count, threads, [&](int, int64_t first, int64_t last) {
      for (int64_t part = first; part < last; ++part) f(part, std::min(n, part * size), std::min(n, (part + 1) * size));
    });
  }
};

// Adds neighbouring halves of the lanes until one is left, which it returns.
template <int kLanes>
inline double sum_of_lanes(double* lanes) {
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

// Calls f(begin) for the whole units of [0, n), of kStreams ranges in turn; returns how many elements they are. A CPU
// fetches ahead up to the end of a page: with several of them under way there is always one to fetch. Too many are too
// much for what two threads of a core share.
template <int64_t kStreams = 4, typename F>
inline int64_t in_streams(int64_t n, int64_t unit, const F& f) {
  const int64_t units = n / unit, whole = units * unit;
  const int64_t length = (units + kStreams - 1) / kStreams * unit;
  for (int64_t i = 0; i < length; i += unit) {
    for (int64_t at = i; at < whole; at += length) f(at);
  }
  return whole;
}

// Fetches what lies a little behind the next n elements of a stream: streams alone are slower where there is much to do
// with what was read.
template <int64_t kAhead = 1024, typename T>
inline void fetch_ahead(const T* from, int64_t n) {
  const char* ahead = reinterpret_cast<const char*>(from) + kAhead;
  for (int64_t byte = 0; byte < n * static_cast<int64_t>(sizeof(T)); byte += 64) __builtin_prefetch(ahead + byte, 0, 3);
}

// What is fetched step by step while samples are counted, which reads no memory: of two arrays what is read later, so
// many bytes for each sample; 0 for one that does not lie in order, or would leave the first cache.
constexpr int kFetchStep = 8;
struct StepsAhead {
  const char *a, *b;
  int64_t a_bytes, b_bytes;

  // Of kFetchStep samples from the i-th on; at most a line each.
  void fetch(int64_t i) const {
    __builtin_prefetch(a + i * a_bytes, 0, 3);
    __builtin_prefetch(b + i * b_bytes, 0, 3);
  }
  // Any number of lines of the first one.
  void fetch_rows(int64_t i) const {
    for (int64_t byte = 64; byte < kFetchStep * a_bytes; byte += 64) __builtin_prefetch(a + i * a_bytes + byte, 0, 3);
    fetch(i);
  }
};

// Values out of range met by one thread.
struct Faults {
  int64_t count[kKindsOfFault] = {};
  int64_t order[kKindsOfFault] = {INT64_MAX, INT64_MAX, INT64_MAX};  // of the first, its place in the batch
  int64_t first[kKindsOfFault] = {};

  void add(int which, int64_t place, int64_t value) {
    ++count[which];
    if (place < order[which]) {
      order[which] = place;
      first[which] = value;
    }
  }

  // Whether something can be counted with this weight; one that is bad is added.
  bool check_weight(double weight, int64_t place) {
    if (weight >= 0.0 && weight <= std::numeric_limits<double>::max()) return true;
    int64_t bits;
    memcpy(&bits, &weight, sizeof(bits));
    add(kBadWeight, place, bits);
    return false;
  }

  // faults: int64 [kFaults] or null; a first value that is already there stays.
  static void record(const std::vector<Faults>& threads, int64_t* faults) {
    if (faults == nullptr) return;
    for (int which = 0; which < kKindsOfFault; ++which) {
      Faults all;
      for (const Faults& t : threads) {
        if (t.count[which] == 0) continue;
        all.add(which, t.order[which], t.first[which]);
        all.count[which] += t.count[which] - 1;
      }
      if (all.count[which] == 0) continue;
      if (faults[2 * which] == 0) faults[2 * which + 1] = all.first[which];
      faults[2 * which] += all.count[which];
    }
  }
};

// What a label is narrowed to that does not count: one that is ignored, out of range, or of a sample that is not valid.
constexpr int32_t kIgnored = -1;
constexpr int32_t kBad = -2;
constexpr int32_t kInvalid = -3;

// Labels to int32: in [0, classes) as they are, `ignore` (if any) as kIgnored, all else as kBad. Returns whether there
// was any kBad.
bool narrow_labels(const void* data, DType type, int64_t offset, int64_t stride, int n, int64_t classes,
                   const int64_t* ignore, int32_t* to);

// n elements of any real type as doubles.
void to_doubles(const void* data, DType type, int64_t offset, int64_t stride, int n, double* to);

// Marks the samples that `valid` (null: all are) leaves out.
inline void mask_labels(const bool* valid, int64_t offset, int64_t stride, int n, int32_t* labels) {
  if (valid == nullptr) return;
  for (int i = 0; i < n; ++i) {
    if (!valid[offset + i * stride]) labels[i] = kInvalid;
  }
}

// Where n labels in memory are that were narrowed.
struct LabelsAt {
  const void* data;
  DType type;
  int64_t offset, stride;

  int64_t operator[](int i) const { return label_at(data, type, offset + i * stride); }
};

// Adds what is out of range among n samples, those that are ignored or not valid apart; place_of(i) is the place of
// sample i. labels: null if preds are no labels.
template <typename F>
inline void record_bad(const LabelsAt& target_at, const int32_t* target, const LabelsAt& labels_at,
                       const int32_t* labels, int n, Faults* faults, const F& place_of) {
  for (int i = 0; i < n; ++i) {
    if (target[i] == kBad) faults->add(kBadTarget, place_of(i), target_at[i]);
    const bool counted = target[i] != kIgnored && target[i] != kInvalid;
    if (labels != nullptr && labels[i] == kBad && counted) faults->add(kBadPreds, place_of(i), labels_at[i]);
  }
}

}  // namespace fastmetrics
