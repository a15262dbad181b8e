// SPDX-License-Identifier: Apache-2.0
//
// Every load and store of the kernel sources comes here: g++ calls __tsan_read4 and its like before each, and these are
// ours in place of ThreadSanitizer's. A cell beside every byte of shared memory, and beside every element of the card's
// memory, remembers who was there.

#include "memory.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>

#include "runtime.h"

#ifdef EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace fastmetrics {
constexpr size_t kMostShared = 228 * 1024;
thread_local __attribute__((aligned(128))) unsigned char shared[kMostShared];
}  // namespace fastmetrics

namespace emulator {

uintptr_t failed_at = 0;

namespace {

constexpr int kGarbage = 0xa5;  // what memory holds that nobody wrote

// What happened to a byte or an element: the last plain write, and the last reads and atomics by two threads. Epoch 0
// is none.
struct Cell {
  uint32_t written;  // epoch of any write
  Moment write, reads[2], atomics[2];
};

struct Freed {
  void operator()(void* p) const { free(p); }
};
// Zero pages until they are touched.
using Cells = std::unique_ptr<Cell[], Freed>;
Cells cells_for(size_t n) { return Cells(static_cast<Cell*>(calloc(std::max<size_t>(n, 1), sizeof(Cell)))); }

struct Buffer {
  std::string name;
  uintptr_t begin;
  size_t bytes, element;
  bool writable, written;
  Cells cells;
  bool kept = false;
};
std::vector<Buffer> buffers;

struct Symbol {
  std::string name;
  uintptr_t offset;  // in thread-local memory, or from the start of the library
  size_t size;
};

// This library, from its file.
struct Image {
  uintptr_t base = 0, begin = 0, end = 0;
  uintptr_t local = 0;  // the thread-local memory of this thread
  size_t local_size = 0;
  std::vector<Symbol> shared_variables, functions;
};

Image read_image() {
  Image image;
  fastmetrics::shared[0] = kGarbage;  // thread-local memory is there once it was touched
  std::string path;
  struct Search {
    Image* image;
    std::string* path;
  } search{&image, &path};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        auto* s = static_cast<Search*>(data);
        uintptr_t begin = UINTPTR_MAX, end = 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          begin = std::min<uintptr_t>(begin, info->dlpi_addr + header.p_vaddr);
          end = std::max<uintptr_t>(end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
        }
        const auto here = reinterpret_cast<uintptr_t>(&read_image);
        if (here < begin || here >= end) return 0;
        s->image->base = info->dlpi_addr;
        s->image->begin = begin;
        s->image->end = end;
        s->image->local = reinterpret_cast<uintptr_t>(info->dlpi_tls_data);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type == PT_TLS) s->image->local_size = info->dlpi_phdr[i].p_memsz;
        }
        *s->path = info->dlpi_name;
        return 1;
      },
      &search);
  std::ifstream file(path, std::ios::binary);
  const std::string data((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const auto* header = reinterpret_cast<const ElfW(Ehdr)*>(data.data());
  const auto* sections = reinterpret_cast<const ElfW(Shdr)*>(data.data() + header->e_shoff);
  for (int i = 0; i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const char* names = data.data() + sections[sections[i].sh_link].sh_offset;
    const auto* symbols = reinterpret_cast<const ElfW(Sym)*>(data.data() + sections[i].sh_offset);
    for (size_t j = 0; j < sections[i].sh_size / sizeof(ElfW(Sym)); ++j) {
      const Symbol symbol{names + symbols[j].st_name, symbols[j].st_value, symbols[j].st_size};
      if (symbols[j].st_shndx == SHN_UNDEF || symbol.size == 0) continue;
      const int type = ELF64_ST_TYPE(symbols[j].st_info);
      // this file's own and pybind11's are not the kernels'
      if (type == STT_TLS && symbol.name.find("11fastmetrics") != std::string::npos) {
        image.shared_variables.push_back(symbol);
      }
      if (type == STT_FUNC) image.functions.push_back(symbol);
    }
  }
  if (image.local == 0 || image.shared_variables.empty()) {
    fprintf(stderr, "emulator: %s has no symbols of thread-local variables\n", path.c_str());
    abort();
  }
  return image;
}

const Image& image() {
  static const Image read = read_image();
  return read;
}

// The function that a static variable is in, as the linker names it: _ZZ3foovE1x is x of _Z3foov.
bool is_of(const Symbol& variable, const std::string& function) {
  return variable.name.compare(0, 3 + function.size() - 2, "_ZZ" + function.substr(2)) == 0;
}

std::string demangled(const std::string& symbol) {
  int status = 0;
  char* text = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
  const std::string name = status == 0 ? text : symbol;
  free(text);
  return name;
}

// Kernels are called x_kernel.
bool is_name_of_kernel(const std::string& name) {
  const std::string plain = name.substr(0, name.find('<')), ending = "_kernel";
  return plain.size() > ending.size() && plain.compare(plain.size() - ending.size(), ending.size(), ending) == 0;
}

// Shared memory of the block that runs.
struct Shared {
  std::string kernel;
  std::vector<Symbol> variables;  // that this kernel may touch; the dynamic memory is the first
  Cells cells;
} shared_memory;

const char* text_of(Access access) {
  switch (access) {
    case Access::kRead:
      return "reads";
    case Access::kWrite:
      return "writes";
    case Access::kCopy:
      return "has begun to copy";
    default:
      return "changes atomically";
  }
}

// What the atomics of a block published: with its fences before them, what its threads had done until those.
struct Release {
  uint32_t first_epoch;  // of the block
  std::vector<Moment> fences;
};
std::vector<Release> releases;
std::map<uintptr_t, std::vector<size_t>> releases_at;
uint32_t releases_of = 0;  // the launch that they are of

// What a thread of this block has learnt of other blocks by a fence.
struct Acquire {
  Moment at;
  std::vector<size_t> releases;
};
std::vector<Acquire> acquires;

bool before(const Moment& m, const Thread& me) {
  if (m.epoch < launch_epoch) return true;
  if (m.epoch >= block.first_epoch) {
    const int thread = static_cast<int>(m.thread);
    return thread == me.index || m.epoch < block.epoch ||
           (thread / kLanes == me.index / kLanes && me.known[thread % kLanes] >= m.clock);
  }
  for (const Acquire& a : acquires) {
    if (!before(a.at, me)) continue;
    for (size_t i : a.releases) {
      const Release& r = releases[i];
      if (m.epoch < r.first_epoch) continue;
      for (const Moment& f : r.fences) {
        if (m.epoch < f.epoch || (m.epoch == f.epoch && m.thread == f.thread && m.clock <= f.clock)) return true;
      }
    }
  }
  return false;
}

void remember(Moment* two, const Moment& m) {
  if (two[0].epoch < block.first_epoch || two[0].thread != m.thread) two[1] = two[0];
  two[0] = m;
}

// `what` names the memory; offset: bytes from its start.
[[gnu::cold]] void report_race(Access access, const Moment& other, const char* did, size_t size, const char* what,
                               size_t offset) {
  const std::string place = other.epoch >= block.first_epoch ? "" : " of another block";
  fail("race: %s %s %zu bytes at %s + %zu, which thread %u%s %s, and nothing orders the two", where().c_str(),
       text_of(access), size, what, offset, static_cast<unsigned>(other.thread), place.c_str(), did);
}

// `needs`: the epoch since which the memory must have been written, 0 if it always holds values.
void touch(Cell* cells, size_t from, size_t to, Access access, uint32_t needs, size_t size, const char* what,
           size_t offset) {
  const Thread& me = *running;
  const Moment m = now(me);
  for (size_t i = from; i < to; ++i) {
    Cell& cell = cells[i];
    if (cell.written < needs && (access == Access::kRead || access == Access::kAtomic)) {
      fail("uninitialised: %s %s %zu bytes at %s + %zu that nobody has written", where().c_str(), text_of(access), size,
           what, offset);
    }
    auto check = [&](const Moment& other, const char* did) {
      if (other.epoch >= needs && other.epoch != 0 && !before(other, me)) {
        report_race(access, other, did, size, what, offset);
      }
    };
    check(cell.write, "writes");
    if (access != Access::kAtomic && access != Access::kAtomicSet) {
      for (const Moment& other : cell.atomics) check(other, "changes atomically");
    }
    if (access != Access::kRead) {
      for (const Moment& other : cell.reads) check(other, "reads");
      if (access != Access::kCopy) cell.written = m.epoch;
    }
    if (access == Access::kRead) {
      remember(cell.reads, m);
    } else if (access == Access::kWrite || access == Access::kCopy) {
      cell.write = m;
    } else {
      remember(cell.atomics, m);
    }
  }
}

}  // namespace

void add_buffer(const char* name, const void* begin, size_t bytes, size_t element, bool writable, bool written) {
  if (bytes == 0) return;
  buffers.push_back({name, reinterpret_cast<uintptr_t>(begin), bytes, element, writable, written,
                     writable ? cells_for((bytes + element - 1) / element) : nullptr});
}

void forget_buffers() {
  buffers.erase(std::remove_if(buffers.begin(), buffers.end(), [](const Buffer& b) { return !b.kept; }), buffers.end());
  for (Buffer& b : buffers) {
    if (b.written) continue;
    memset(reinterpret_cast<void*>(b.begin), kGarbage, b.bytes);
    b.cells = cells_for(b.bytes / b.element);
  }
}

void keep_buffer(const char* name, const void* begin, size_t bytes) {
  add_buffer(name, begin, bytes, sizeof(uint64_t), true, false);
  buffers.back().kept = true;
}

void check_kept() {
  for (const Buffer& b : buffers) {
    if (!b.kept || !b.written) continue;
    const auto* words = reinterpret_cast<const uint64_t*>(b.begin);
    for (size_t i = 0; i < b.bytes / sizeof(uint64_t); ++i) {
      if (words[i] == 0) continue;
      const std::string kernel = launches.empty() ? "" : " [" + launches.back().kernel + "]";
      throw std::runtime_error("left over: word " + std::to_string(i) + " of " + b.name + " is not zero" + kernel);
    }
  }
}

void written_by_host(const void* begin, size_t bytes) {
  const auto from = reinterpret_cast<uintptr_t>(begin);
  for (Buffer& b : buffers) {
    if (!b.writable || from < b.begin || from + bytes > b.begin + b.bytes) continue;
    for (size_t i = (from - b.begin) / b.element; i < (from - b.begin + bytes) / b.element; ++i) b.cells[i].written = 1;
    if (b.kept) b.written = true;
  }
}

void check_access(uintptr_t at, size_t size, Access access, const void* caller) {
  if (running == nullptr) return;  // the host, between launches
  const Thread& me = *running;
  if (at - me.stack < kStack) return;  // its own variables
  failed_at = reinterpret_cast<uintptr_t>(caller) - image().base;
  if (at - image().local < image().local_size) {
    const uintptr_t offset = at - image().local;
    for (const Symbol& v : shared_memory.variables) {
      if (offset < v.offset || offset + size > v.offset + v.size) continue;
      touch(shared_memory.cells.get(), offset, offset + size, access, block.first_epoch, size, v.name.c_str(),
            offset - v.offset);
      return;
    }
    const Symbol* near = nullptr;
    for (const Symbol& v : shared_memory.variables) {
      if (v.offset <= offset && (near == nullptr || near->offset < v.offset)) near = &v;
    }
    fail("shared memory overrun: %s %s %zu bytes at %s + %zu, which has %zu bytes", where().c_str(), text_of(access),
         size, near != nullptr ? near->name.c_str() : "nothing", near != nullptr ? offset - near->offset : 0,
         near != nullptr ? near->size : 0);
  }
  const Buffer* found = nullptr;
  for (const Buffer& b : buffers) {
    if (at < b.begin || at + size > b.begin + b.bytes) continue;
    if (found == nullptr || b.writable) found = &b;
  }
  if (found == nullptr) {
    if (access == Access::kRead && at >= image().begin && at < image().end) return;  // constants
    fail("out of bounds: %s %s %zu bytes at %p, outside all tensors%s", where().c_str(), text_of(access), size,
         reinterpret_cast<void*>(at),
         at - block.threads[0].stack < kStack * kMostThreads ? ", on another thread's stack" : "");
  }
  const size_t offset = at - found->begin;
  if (!found->writable) {
    if (access != Access::kRead) fail("%s %s an input, %s", where().c_str(), text_of(access), found->name.c_str());
    return;
  }
  touch(found->cells.get(), offset / found->element, (offset + size - 1) / found->element + 1, access,
        found->written ? 0 : 1, size, found->name.c_str(), offset);
}

void start_block(const std::string& kernel, size_t dynamic_bytes) {
  acquires.clear();
  if (releases_of != launch_epoch) {
    releases.clear();
    releases_at.clear();
    releases_of = launch_epoch;
  }
  if (shared_memory.cells == nullptr) shared_memory.cells = cells_for(image().local_size);
  shared_memory.kernel = kernel;
  shared_memory.variables.clear();
  const uintptr_t dynamic = reinterpret_cast<uintptr_t>(fastmetrics::shared) - image().local;
  shared_memory.variables.push_back({"shared", dynamic, dynamic_bytes});
  for (const Symbol& v : image().shared_variables) {
    // a variable of a function that is no kernel may be used by any
    if (v.offset == dynamic || (!is_of(v, kernel) && is_name_of_kernel(readable(v.name)))) continue;
    const std::string name = demangled(v.name);
    shared_memory.variables.push_back({name.substr(name.rfind(':') + 1), v.offset, v.size});
  }
#ifdef EMULATOR_ASAN
  __asan_unpoison_memory_region(fastmetrics::shared, fastmetrics::kMostShared);
  __asan_poison_memory_region(fastmetrics::shared + dynamic_bytes, fastmetrics::kMostShared - dynamic_bytes);
#endif
  for (const Symbol& v : shared_memory.variables) {
    memset(reinterpret_cast<void*>(image().local + v.offset), kGarbage, v.size);
  }
}

size_t static_shared(const std::string& kernel) {
  size_t bytes = 0;
  for (const Symbol& v : image().shared_variables) bytes += is_of(v, kernel) ? v.size : 0;
  return bytes;
}

std::string symbol_of(const void* function) {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(function) - image().base;
  for (const Symbol& f : image().functions) {
    if (f.offset == offset) return f.name;
  }
  return "?";
}

std::string readable(const std::string& symbol) {
  std::string name = demangled(symbol);
  const size_t space = name.compare(0, 5, "void ") == 0 ? 5 : 0;
  int depth = 0;
  size_t end = space;
  for (; end < name.size(); ++end) {
    depth += (name[end] == '<') - (name[end] == '>');
    if (name[end] == '(' && depth == 0) break;
  }
  name = name.substr(space, end - space);
  for (size_t at; (at = name.find("fastmetrics::")) != std::string::npos;) name.erase(at, 13);
  return name;
}

std::vector<std::string> kernels() {
  std::vector<std::string> names;
  for (const Symbol& f : image().functions) {
    const std::string name = readable(f.name);
    if (is_name_of_kernel(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

void fence_of_thread() {
  Thread& me = *running;
  if (!me.read_back.empty()) acquires.push_back({now(me), std::move(me.read_back)});
  me.read_back.clear();
  me.fenced = now(me);
  block.fenced = true;
  ++me.clock;
}

void release_and_acquire(uintptr_t at) {
  if (at - image().local < image().local_size) return;
  if (releases_at.empty() && !block.fenced) return;
  Thread& me = *running;
  std::vector<size_t>& there = releases_at[at];
  me.read_back.insert(me.read_back.end(), there.begin(), there.end());
  Release mine{block.first_epoch, {}};
  for (const Thread& t : block.threads) {
    if (t.fenced.epoch != 0 && before(t.fenced, me)) mine.fences.push_back(t.fenced);
  }
  if (mine.fences.empty()) return;
  there.push_back(releases.size());
  releases.push_back(std::move(mine));
}

}  // namespace emulator

#ifdef EMULATOR_CHECKED
// What g++ calls with -fsanitize=thread.
#define EMULATOR_HOOKS(size)                                                                \
  void __tsan_read##size(void* at) {                                                        \
    emulator::check_access(reinterpret_cast<uintptr_t>(at), size, emulator::Access::kRead,  \
                           __builtin_return_address(0));                                    \
  }                                                                                         \
  void __tsan_write##size(void* at) {                                                       \
    emulator::check_access(reinterpret_cast<uintptr_t>(at), size, emulator::Access::kWrite, \
                           __builtin_return_address(0));                                    \
  }                                                                                         \
  void __tsan_unaligned_read##size(void* at) {                                              \
    emulator::check_access(reinterpret_cast<uintptr_t>(at), size, emulator::Access::kRead,  \
                           __builtin_return_address(0));                                    \
  }                                                                                         \
  void __tsan_unaligned_write##size(void* at) {                                             \
    emulator::check_access(reinterpret_cast<uintptr_t>(at), size, emulator::Access::kWrite, \
                           __builtin_return_address(0));                                    \
  }
extern "C" {
EMULATOR_HOOKS(1)
EMULATOR_HOOKS(2)
EMULATOR_HOOKS(4)
EMULATOR_HOOKS(8)
EMULATOR_HOOKS(16)
void __tsan_read_range(void* at, size_t size) {
  emulator::check_access(reinterpret_cast<uintptr_t>(at), size, emulator::Access::kRead, __builtin_return_address(0));
}
void __tsan_write_range(void* at, size_t size) {
  emulator::check_access(reinterpret_cast<uintptr_t>(at), size, emulator::Access::kWrite, __builtin_return_address(0));
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}

// And with -fsanitize=alignment,bounds.
struct SourceLocation {
  const char* file;
  uint32_t line, column;
};
struct TypeDescriptor {
  uint16_t kind, info;
  char name[1];
};
struct TypeMismatch {
  SourceLocation at;
  const TypeDescriptor* type;
  uint8_t log_alignment, kind;
};
struct OutOfBounds {
  SourceLocation at;
  const TypeDescriptor *array, *index;
};
void __ubsan_handle_type_mismatch_v1(const TypeMismatch* data, uintptr_t at) {
  if (emulator::running == nullptr) return;
  emulator::fail("unaligned: %s takes %#zx for the address of %s, which needs a multiple of %d, at %s:%u",
                 emulator::where().c_str(), static_cast<size_t>(at), data->type->name, 1 << data->log_alignment,
                 data->at.file, data->at.line);
}
void __ubsan_handle_out_of_bounds(const OutOfBounds* data, uintptr_t index) {
  if (emulator::running == nullptr) return;
  emulator::fail("out of bounds: %s takes element %zd of %s, at %s:%u", emulator::where().c_str(),
                 static_cast<ssize_t>(index), data->array->name, data->at.file, data->at.line);
}
}
#endif
