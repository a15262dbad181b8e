// SPDX-License-Identifier: Apache-2.0
//
// Copies to shared memory that a thread does not wait for (`cp.async`), for g++. What is copied is read when the copy
// is asked for and written when its group is waited for: until then the old bytes are there.

#pragma once

#include <device.h>

namespace emulator {

struct Copy {
  void* to;
  size_t size;
  size_t group;
  alignas(16) unsigned char bytes[16];
};

void begin_copy(const Copy& copy);
void end_group();
// The next copy of the calling thread that is in a group, but not in one of the last `prior`.
bool next_copy(size_t prior, Copy* copy);

struct alignas(16) SixteenBytes {
  uint64_t of[2];
};

// An access of the kernel, in its own source for the checks.
template <typename T>
void move_copied(void* to, const void* from) {
  *static_cast<T*>(to) = *static_cast<const T*>(from);
}

inline void move_copied(void* to, const void* from, size_t size) {
  if (size == 4) return move_copied<uint32_t>(to, from);
  if (size == 8) return move_copied<uint64_t>(to, from);
  return move_copied<SixteenBytes>(to, from);
}

void check_size_of_copy(size_t size, Site site);

}  // namespace emulator

inline void __pipeline_memcpy_async(void* to, const void* from, size_t size, EMULATOR_SITE) {
  emulator::check_size_of_copy(size, {file, line});
  emulator::Copy copy{to, size, 0, {}};
  emulator::move_copied(copy.bytes, from, size);
  emulator::begin_copy(copy);
}

inline void __pipeline_commit() { emulator::end_group(); }

inline void __pipeline_wait_prior(size_t prior) {
  emulator::Copy copy;
  while (emulator::next_copy(prior, &copy)) emulator::move_copied(copy.to, copy.bytes, copy.size);
}
