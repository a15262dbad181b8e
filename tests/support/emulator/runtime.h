// SPDX-License-Identifier: Apache-2.0
//
// The emulator's own view of a launch: blocks one after another, the threads of a block as fibres.

#pragma once

#include <cuda_runtime_api.h>

#include <map>
#include <string>
#include <vector>

namespace emulator {

constexpr int kMostThreads = 1024;
constexpr int kLanes = 32;
constexpr size_t kStack = 128 * 1024;  // bytes of a thread

// A moment of one thread. Epochs count the barriers of all blocks of all launches; the clock of a thread counts what
// it shared with its warp.
struct Moment {
  uint32_t epoch = 0;
  uint32_t thread : 10, clock : 22;
  Moment() : thread(0), clock(0) {}
  Moment(uint32_t e, int t, uint32_t c) : epoch(e), thread(static_cast<unsigned>(t)), clock(c) {}
};

struct Thread {
  int index = 0;
  uintptr_t stack = 0;                 // lowest address
  uint32_t clock = 1;                  // of this thread
  uint32_t known[kLanes] = {};         // clocks of the lanes of its warp up to which it has seen them
  Moment fenced;                       // its last fence
  std::vector<size_t> read_back = {};  // releases that its atomics have met since that fence
};

// The thread that runs, or null while the host does.
extern Thread* running;

struct Block {
  uint32_t first_epoch = 0, epoch = 0;
  bool fenced = false;  // whether any thread has met a fence
  std::vector<Thread> threads;
};
extern Block block;
extern uint32_t launch_epoch;  // the first of this launch

inline Moment now(const Thread& t) { return Moment(block.epoch, t.index, t.clock); }

// Ends the launch, which then fails with this text; the first one counts. Does not return on a thread's fibre.
[[gnu::format(printf, 1, 2)]] void fail(const char* format, ...);

std::string where();  // "thread 3 of block 0 in kernel ..."

struct Launched {
  std::string kernel;
  unsigned blocks, threads;
  size_t shared;
};

// What tests set and ask; module.cpp gives it to Python.
struct Card {
  int multiprocessors = 4, shared_of_block = 101376, shared_of_multiprocessor = 102400;
};
extern Card card;       // one of other figures is another device
extern bool idle;       // whether launches do nothing
extern void* stream;    // the current one
extern bool capturing;  // whether streams are being captured
extern bool full;       // whether the card has no memory left
// How often the host called the runtime, by the function.
extern std::map<std::string, int> calls;
enum class Order { kForward, kReverse, kRandom };
void set_schedule(Order order, uint64_t seed);
extern std::vector<Launched> launches;
// The address of the access that was reported, from the start of this library; 0 if it is not one.
extern uintptr_t failed_at;

}  // namespace emulator
