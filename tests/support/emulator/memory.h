// SPDX-License-Identifier: Apache-2.0
//
// Which memory a kernel may touch, and which accesses to it are not ordered.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime.h"

namespace emulator {

// kCopy: a write that is on its way.
enum class Access { kRead, kWrite, kCopy, kAtomic, kAtomicSet };

// Memory of the card, from here to forget_buffers. element: bytes of what threads share it by. written: it holds
// values.
void add_buffer(const char* name, const void* begin, size_t bytes, size_t element, bool writable, bool written);
void forget_buffers();  // but for memory that is kept
// Memory that outlives a call. What the host has set is as kernels leave it; the rest holds nothing when a call begins.
void keep_buffer(const char* name, const void* begin, size_t bytes);
// Throws std::runtime_error if kept memory that the host has made zero is not zero: a launch must leave it so.
void check_kept();
void written_by_host(const void* begin, size_t bytes);

// One access of the running thread; `caller` is where, for the report.
void check_access(uintptr_t at, size_t size, Access access, const void* caller);

// At the start of a block: shared memory holds nothing but what is left of others.
void start_block(const std::string& kernel, size_t dynamic_bytes);
// Bytes of the static shared variables of a kernel, by its name as the linker knows it.
size_t static_shared(const std::string& kernel);

// As the linker names the function, and as people do.
std::string symbol_of(const void* function);
std::string readable(const std::string& symbol);
// All functions of this library that are kernels by their names.
std::vector<std::string> kernels();

// The order between threads that atomics and fences make across blocks.
void release_and_acquire(uintptr_t at);
void fence_of_thread();

}  // namespace emulator
