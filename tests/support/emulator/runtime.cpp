// SPDX-License-Identifier: Apache-2.0
//
// Fibres, and who waits for whom.

#include "runtime.h"

#include <cuda_pipeline_primitives.h>
#include <device.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <deque>
#include <map>
#include <random>
#include <tuple>
#include <vector>

#include "memory.h"

#ifdef EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef EMULATOR_TSAN
extern "C" {
void* __tsan_get_current_fiber();
void* __tsan_create_fiber(unsigned flags);
void __tsan_switch_to_fiber(void* fiber, unsigned flags);
void __tsan_acquire(void* at);
void __tsan_release(void* at);
}
#endif

// The switch between stacks.
#ifdef __x86_64__
extern "C" void emulator_switch(void** save, void* load);
// The registers that a call keeps, on the stack that is left; then the same from the other.
asm(R"(
.text
.hidden emulator_switch
.globl emulator_switch
emulator_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
#else
#include <ucontext.h>
#endif

uint3 threadIdx{}, blockIdx{};
dim3 blockDim, gridDim;

namespace emulator {

Thread* running = nullptr;
Block block;
uint32_t launch_epoch = 0;
Card card;
bool idle = false, capturing = false, full = false;
void* stream = nullptr;
std::map<std::string, int> calls;
std::vector<Launched> launches;

namespace {

class Fibre {
 public:
  // Starts at `entry` when it is first switched to. stack: kStack bytes.
  void prepare(void* stack, void (*entry)()) {
    stack_ = stack;
#ifdef EMULATOR_ASAN
    __asan_unpoison_memory_region(stack, kStack);
#endif
#ifdef EMULATOR_TSAN
    if (tsan_ == nullptr) tsan_ = __tsan_create_fiber(0);  // slow, so it serves every block
#endif
#ifdef __x86_64__
    void** top = reinterpret_cast<void**>(static_cast<char*>(stack) + kStack);
    *--top = nullptr;  // a call leaves the stack 8 bytes off a multiple of 16
    *--top = reinterpret_cast<void*>(entry);
    top -= 6;
    std::fill(top, top + 6, nullptr);
    at_ = top;
#else
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack;
    context_.uc_stack.ss_size = kStack;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
#endif
  }

  void switch_to(Fibre* other) {
#ifdef EMULATOR_ASAN
    void* fake = nullptr;
    const bool to_host = other->stack_ == nullptr;
    __sanitizer_start_switch_fiber(&fake, to_host ? host_stack_ : other->stack_, to_host ? host_size_ : kStack);
#endif
#ifdef EMULATOR_TSAN
    if (tsan_ == nullptr) tsan_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(other->tsan_, 1);  // a switch orders nothing
#endif
#ifdef __x86_64__
    emulator_switch(&at_, other->at_);
#else
    swapcontext(&context_, &other->context_);
#endif
#ifdef EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  }

  // First of all on a new fibre.
  static void arrived() {
#ifdef EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &host_stack_, &host_size_);
#endif
  }

 private:
  void* stack_ = nullptr;  // null for the host
#ifdef EMULATOR_ASAN
  static inline const void* host_stack_ = nullptr;
  static inline size_t host_size_ = 0;
#endif
#ifdef EMULATOR_TSAN
  void* tsan_ = nullptr;
#endif
#ifdef __x86_64__
  void* at_ = nullptr;
#else
  ucontext_t context_;
#endif
};

enum class State { kReady, kAtBlock, kAtWarp, kDone };

struct Wait {
  State state;
  const char* name;
  Site site;
  unsigned mask;
  uint64_t given;
  Given got;
  unsigned parities = 0;  // of the clocks of the lanes when they met
};

// Copies of a thread that have not landed, in the order in which they were asked for.
struct Copies {
  std::deque<Copy> pending;
  size_t groups = 0;  // that have ended
};

struct Running {
  std::string kernel;  // as the linker knows it
  void (*call)(void*) = nullptr;
  void* context = nullptr;
  std::vector<int> ready;
  std::vector<Copies> copies;  // of each thread of the block
  int at_block = 0, first_at_block = 0, votes = 0, votes_of_last = 0, alive = 0;
} of_launch;

Fibre host;
std::vector<Fibre> fibres(kMostThreads);
std::vector<Wait> waits(kMostThreads);
char* stacks = nullptr;
bool failed = false;
std::string failure;
cudaError_t last_error = cudaSuccess;
Order order = Order::kForward;
std::mt19937_64 random_source;
std::map<const void*, int> dynamic_limits;

#ifdef EMULATOR_TSAN
// two of each: the fast meet again before the slow have left
char meeting_of_block[2], meeting_of_thread[kMostThreads][2], start_of_block, end_of_block;
#endif

Thread& thread_at(int i) { return block.threads[static_cast<size_t>(i)]; }
Wait& wait_of(int i) { return waits[static_cast<size_t>(i)]; }
Copies& copies_of_running() { return of_launch.copies[static_cast<size_t>(running->index)]; }
int count_of_threads() { return static_cast<int>(block.threads.size()); }

void to_host() {
  Thread* me = running;
  running = nullptr;
  fibres[static_cast<size_t>(me->index)].switch_to(&host);
  running = me;
}

void wake(int i) {
  wait_of(i).state = State::kReady;
  of_launch.ready.push_back(i);
}

std::string text_of(const Wait& w) {
  const char* slash = strrchr(w.site.file, '/');
  return std::string(w.name) + " at " + (slash != nullptr ? slash + 1 : w.site.file) + ":" +
         std::to_string(w.site.line);
}

// Everybody is waiting: whom for?
void report_deadlock() {
  std::string text;
  int shown = 0;
  for (int i = 0; i < count_of_threads() && shown < 4; ++i) {
    const Wait& w = wait_of(i);
    const bool first = i == 0 || wait_of(i - 1).state != w.state ||
                       (w.state != State::kDone && wait_of(i - 1).site.line != w.site.line);
    if (!first) continue;
    ++shown;
    text += "; from thread " + std::to_string(i) + ": " + (w.state == State::kDone ? "ended" : "at " + text_of(w));
  }
  fail("%s%s", of_launch.at_block > 0 ? "divergent barrier: not all threads come to it" : "deadlock", text.c_str());
}

// Ends the waiting of the lanes that wait for the same as `w`, if all that live are there.
bool meet_if_all_came(int first, const Wait& w) {
  Given got{};
  for (int l = 0; l < kLanes && first + l < count_of_threads(); ++l) {
    const Wait& other = wait_of(first + l);
    if ((w.mask >> l & 1) == 0 || other.state == State::kDone) continue;
    if (other.state != State::kAtWarp) return false;
    got.lanes |= 1u << l;
    got.of[l] = other.given;
  }
  uint32_t known[kLanes] = {};
  unsigned parities = 0;
  for (int l = 0; l < kLanes; ++l) {
    if ((got.lanes >> l & 1) == 0) continue;
    Thread& t = thread_at(first + l);
    parities |= t.clock % 2 << l;
    t.known[l] = t.clock++;
    for (int j = 0; j < kLanes; ++j) known[j] = std::max(known[j], t.known[j]);
  }
  for (int l = 0; l < kLanes; ++l) {
    if ((got.lanes >> l & 1) == 0) continue;
    Wait& other = wait_of(first + l);
    std::copy(known, known + kLanes, thread_at(first + l).known);
    other.got = got;
    other.parities = parities;
    if (&other == &wait_of(running->index)) {
      other.state = State::kReady;
    } else {
      wake(first + l);
    }
  }
  return true;
}

void entry() {
  Fibre::arrived();
#ifdef EMULATOR_TSAN
  __tsan_acquire(&start_of_block);
#endif
  Thread* me = running;
  of_launch.call(of_launch.context);
  const int index = me->index, first = index / kLanes * kLanes;
  wait_of(index).state = State::kDone;
  --of_launch.alive;
#ifdef EMULATOR_TSAN
  __tsan_release(&end_of_block);
#endif
  // the lanes that waited for this one may now have all that are left
  for (int i = first; i < first + kLanes && i < count_of_threads(); ++i) {
    if (wait_of(i).state == State::kAtWarp && (wait_of(i).mask >> (index - first) & 1) != 0) {
      meet_if_all_came(first, wait_of(i));
    }
  }
  to_host();
}

uint3 split(unsigned i, uint3 size) { return {i % size.x, i / size.x % size.y, i / size.x / size.y}; }

void run_block(uint3 index, uint32_t epoch) {
  blockIdx = index;
  block.first_epoch = block.epoch = epoch;
  block.fenced = false;
  const int threads = static_cast<int>(blockDim.x * blockDim.y * blockDim.z);
  block.threads.assign(static_cast<size_t>(threads), Thread());
  of_launch.ready.clear();
  of_launch.copies.assign(static_cast<size_t>(threads), Copies());
  of_launch.at_block = of_launch.votes = 0;
  of_launch.alive = threads;
  for (int i = 0; i < threads; ++i) {
    Thread& t = thread_at(i);
    t.index = i;
    t.stack = reinterpret_cast<uintptr_t>(stacks) + static_cast<size_t>(i) * kStack;
    fibres[static_cast<size_t>(i)].prepare(reinterpret_cast<void*>(t.stack), entry);
    wake(i);
  }
#ifdef EMULATOR_TSAN
  __tsan_release(&start_of_block);
#endif
  std::vector<int> round;
  while (of_launch.alive > 0 && !failed) {
    round.swap(of_launch.ready);
    of_launch.ready.clear();
    if (round.empty()) {
      report_deadlock();
      return;
    }
    if (order == Order::kForward) std::sort(round.begin(), round.end());
    if (order == Order::kReverse) std::sort(round.rbegin(), round.rend());
    if (order == Order::kRandom) std::shuffle(round.begin(), round.end(), random_source);
    for (int i : round) {
      if (failed) return;
      running = &thread_at(i);
      threadIdx = split(static_cast<unsigned>(i), blockDim);
      host.switch_to(&fibres[static_cast<size_t>(i)]);
      running = nullptr;
    }
    round.clear();
  }
#ifdef EMULATOR_TSAN
  __tsan_acquire(&end_of_block);
#endif
}

}  // namespace

int lane() { return running->index % kLanes; }

void wait_for_other_blocks() {
  fail("deadlock: %s waits for what the blocks before it have not done", where().c_str());
}

int meet_block(const char* name, bool predicate, Site site_of) {
  const int me = running->index;
  Wait& w = wait_of(me);
  w = Wait{State::kAtBlock, name, site_of, 0, 0, {}};
  if (of_launch.at_block++ == 0) of_launch.first_at_block = me;
  const Wait& other = wait_of(of_launch.first_at_block);
  if (other.site.line != site_of.line || strcmp(other.name, name) != 0) {
    fail("divergent barrier: thread %d is at %s, thread %d at %s", me, text_of(w).c_str(), of_launch.first_at_block,
         text_of(other).c_str());
  }
  of_launch.votes += predicate;
#ifdef EMULATOR_TSAN
  char* const meeting = &meeting_of_block[block.epoch % 2];
  __tsan_release(meeting);
#endif
  if (of_launch.at_block == count_of_threads()) {
    of_launch.votes_of_last = of_launch.votes;
    of_launch.at_block = of_launch.votes = 0;
    ++block.epoch;
    for (int i = 0; i < count_of_threads(); ++i) {
      if (i != me) wake(i);
    }
    w.state = State::kReady;
  } else {
    to_host();
  }
#ifdef EMULATOR_TSAN
  __tsan_acquire(meeting);
#endif
  return of_launch.votes_of_last;
}

Given meet_warp(const char* name, unsigned mask, uint64_t mine, Site site_of) {
  const int me = running->index, my_lane = lane(), first = me - my_lane;
  Wait& w = wait_of(me);
  w = Wait{State::kAtWarp, name, site_of, mask, mine, {}};
  if ((mask >> my_lane & 1) == 0) fail("%s: lane %d is not in its own mask %#x", text_of(w).c_str(), my_lane, mask);
  for (int l = 0; l < kLanes; ++l) {
    if ((mask >> l & 1) == 0) continue;
    if (first + l >= count_of_threads()) {
      fail("%s: its mask %#x names lane %d, which the block does not have", text_of(w).c_str(), mask, l);
    }
    const Wait& other = wait_of(first + l);
    if (other.state == State::kAtWarp && (strcmp(w.name, other.name) != 0 || w.mask != other.mask)) {
      fail("mismatched warp operations: thread %d is at %s with mask %#x, thread %d at %s with mask %#x", me,
           text_of(w).c_str(), mask, first + l, text_of(other).c_str(), other.mask);
    }
  }
#ifdef EMULATOR_TSAN
  __tsan_release(&meeting_of_thread[me][running->clock % 2]);
#endif
  if (!meet_if_all_came(first, w)) to_host();
#ifdef EMULATOR_TSAN
  for (int l = 0; l < kLanes; ++l) {
    if (w.got.lanes >> l & 1) __tsan_acquire(&meeting_of_thread[first + l][w.parities >> l & 1]);
  }
#endif
  return w.got;
}

uint64_t given_by(const Given& given, int from, const char* name, Site site_of) {
  if ((given.lanes >> from & 1) == 0) {
    const Wait w{State::kReady, name, site_of, 0, 0, {}};
    fail("%s: lane %d reads lane %d, which does not take part", text_of(w).c_str(), lane(), from);
  }
  return given.of[from];
}

void fence() { fence_of_thread(); }

void check_size_of_copy(size_t size, Site site_of) {
  if (size == 4 || size == 8 || size == 16) return;
  const Wait w{State::kReady, "__pipeline_memcpy_async", site_of, 0, 0, {}};
  fail("%s: %zu bytes, of 4, 8 and 16", text_of(w).c_str(), size);
}

void begin_copy(const Copy& copy) {
#if defined(EMULATOR_CHECKED)
  check_access(reinterpret_cast<uintptr_t>(copy.to), copy.size, Access::kCopy, __builtin_return_address(0));
#endif
  Copies& mine = copies_of_running();
  mine.pending.push_back(copy);
  mine.pending.back().group = mine.groups;
}

void end_group() { ++copies_of_running().groups; }

bool next_copy(size_t prior, Copy* copy) {
  Copies& mine = copies_of_running();
  if (mine.pending.empty() || mine.pending.front().group + prior >= mine.groups) return false;
  *copy = mine.pending.front();
  mine.pending.pop_front();
  return true;
}

void atomic(const void* at, size_t size, bool sets) {
#if defined(EMULATOR_CHECKED)
  const Access access = sets ? Access::kAtomicSet : Access::kAtomic;
  check_access(reinterpret_cast<uintptr_t>(at), size, access, __builtin_return_address(0));
  release_and_acquire(reinterpret_cast<uintptr_t>(at));
#else
  (void)at, (void)size, (void)sets;
#endif
  // another thread may come first
  if (order == Order::kRandom && random_source() % 8 == 0) {
    wake(running->index);
    to_host();
  }
}

std::string where() {
  return "thread " + std::to_string(running->index) + " of block " + std::to_string(blockIdx.x) + " in " +
         readable(of_launch.kernel);
}

void fail(const char* format, ...) {
  if (!failed) {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    failure = std::string(text) + " [" + readable(of_launch.kernel) + "]";
    failed = true;
  }
  if (running != nullptr) to_host();
}

void set_schedule(Order wanted, uint64_t seed) {
  order = wanted;
  random_source.seed(seed);
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, void (*call)(void*), void* context) {
  ++calls["cudaLaunchKernelEx"];
  if (idle) return cudaSuccess;
  failed = false;
  failed_at = 0;
  of_launch.kernel = symbol_of(kernel);
  gridDim = config.gridDim;
  blockDim = config.blockDim;
  of_launch.call = call;
  of_launch.context = context;
  const uint64_t threads = uint64_t{config.blockDim.x} * config.blockDim.y * config.blockDim.z;
  const uint64_t blocks = uint64_t{config.gridDim.x} * config.gridDim.y * config.gridDim.z;
  const size_t fixed = static_shared(of_launch.kernel);
  const auto limit = dynamic_limits.find(kernel);
  const size_t most = limit != dynamic_limits.end() ? static_cast<size_t>(limit->second) : 48 * 1024 - fixed;
  if (threads == 0 || threads > kMostThreads || blocks == 0 || config.gridDim.x > 0x7fffffffu ||
      config.gridDim.y > 65535 || config.gridDim.z > 65535) {
    fail("launch of %llu blocks of %llu threads", static_cast<unsigned long long>(blocks),
         static_cast<unsigned long long>(threads));
  } else if (config.dynamicSmemBytes > most ||
             config.dynamicSmemBytes + fixed > static_cast<size_t>(card.shared_of_block)) {
    fail("launch with %zu bytes of dynamic and %zu of static shared memory: %zu and %d are allowed",
         config.dynamicSmemBytes, fixed, most, card.shared_of_block);
  }
  if (failed) return last_error = cudaErrorInvalidConfiguration;
  if (stacks == nullptr) {
    void* mapped = mmap(nullptr, kStack * kMostThreads, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) abort();
    stacks = static_cast<char*>(mapped);
  }
  launches.push_back({readable(of_launch.kernel), static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
                      config.dynamicSmemBytes});
  std::vector<unsigned> indices(blocks);
  for (unsigned i = 0; i < blocks; ++i)
    indices[i] = order == Order::kReverse ? static_cast<unsigned>(blocks) - 1 - i : i;
  if (order == Order::kRandom) std::shuffle(indices.begin(), indices.end(), random_source);
  launch_epoch = block.epoch + 1;
  for (unsigned i : indices) {
    start_block(of_launch.kernel, config.dynamicSmemBytes);
    run_block(split(i, gridDim), block.epoch + 1);
    if (failed) return last_error = cudaErrorLaunchFailure;
  }
  return cudaSuccess;
}

}  // namespace emulator

cudaError_t cudaGetDevice(int* device) {
  using emulator::card;
  static std::vector<std::tuple<int, int, int>> known;
  const std::tuple<int, int, int> wanted{card.multiprocessors, card.shared_of_block, card.shared_of_multiprocessor};
  const auto found = std::find(known.begin(), known.end(), wanted);
  *device = static_cast<int>(found - known.begin());
  if (found == known.end()) known.push_back(wanted);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  using emulator::card;
  ++emulator::calls["cudaDeviceGetAttribute"];
  *value = attribute == cudaDevAttrMultiProcessorCount            ? card.multiprocessors
           : attribute == cudaDevAttrMaxSharedMemoryPerBlockOptin ? card.shared_of_block
                                                                  : card.shared_of_multiprocessor;
  return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute, int value) {
  ++emulator::calls["cudaFuncSetAttribute"];
  if (value > emulator::card.shared_of_block) {
    emulator::failure = "cudaFuncSetAttribute: more shared memory than a block may have";
    return emulator::last_error = cudaErrorInvalidValue;
  }
  emulator::dynamic_limits[kernel] = value;
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t) {
  ++emulator::calls["cudaMemsetAsync"];
  memset(to, value, bytes);
  emulator::written_by_host(to, bytes);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** made, size_t bytes) {
  ++emulator::calls["cudaMalloc"];
  if (emulator::full) {
    emulator::failure = "out of memory";
    return emulator::last_error = cudaErrorMemoryAllocation;
  }
  *made = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(*made, 0xa5, bytes);
  emulator::keep_buffer("kept memory", *made, bytes);
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (memory != nullptr) abort();  // nothing asks for that
  return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  ++emulator::calls["cudaStreamIsCapturing"];
  *status = emulator::capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  static cudaStreamCaptureMode current = cudaStreamCaptureModeGlobal;
  std::swap(current, *mode);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  const cudaError_t error = emulator::last_error;
  emulator::last_error = cudaSuccess;
  return error;
}

const char* cudaGetErrorString(cudaError_t) { return emulator::failure.c_str(); }
