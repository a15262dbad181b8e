// SPDX-License-Identifier: Apache-2.0
//
// The Python module: every operator that the sources register, and the emulator's settings.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <torch_stand_in.h>

#include <cstdlib>
#include <cstring>
#include <map>

#include "common/dlpack.h"
#include "memory.h"
#include "runtime.h"

namespace py = pybind11;

namespace torch::stable {

void* Tensor::on_card(bool writable) const {
  int64_t elements = 1;
  for (int64_t d = 0; d < dim(); ++d) elements += (size(d) - 1) * stride(d);
  const int64_t element = headeronly::size_of(type);
  if (numel() == 0) elements = 0;
  emulator::add_buffer(name.c_str(), data, static_cast<size_t>(elements * element), static_cast<size_t>(element),
                       writable, written);
  return data;
}

Tensor new_empty(const Tensor& self, std::vector<int64_t> size, std::optional<ScalarType> dtype) {
  Tensor t;
  t.name = "a workspace";
  t.type = dtype.value_or(self.type);
  t.shape = std::move(size);
  t.steps.resize(t.shape.size(), 1);
  for (size_t d = t.shape.size(); d-- > 1;) t.steps[d - 1] = t.steps[d] * t.shape[d];
  const size_t bytes = static_cast<size_t>(t.numel() * headeronly::size_of(t.type));
  t.owned.reset(aligned_alloc(256, (bytes + 256) / 256 * 256), free);
  t.data = t.owned.get();
  memset(t.data, 0xa5, bytes);
  ++emulator::calls["allocation"];
  t.written = false;
  return t;
}

}  // namespace torch::stable

namespace {

using emulator::Tensor;
using emulator::Value;
using torch::headeronly::ScalarType;

std::map<std::string, emulator::Operator>& operators() {
  static std::map<std::string, emulator::Operator> all;
  return all;
}

// What torch names its dtypes, in the order of ScalarType.
constexpr const char* kNames[] = {"bool",  "uint8", "uint16",  "uint32",   "uint64",  "int8",   "int16",
                                  "int32", "int64", "float16", "bfloat16", "float32", "float64"};

Tensor tensor_from(const py::handle& object, size_t position) {
  Tensor t;
  t.name = "argument " + std::to_string(position);
  t.data = reinterpret_cast<void*>(object.attr("data_ptr")().cast<uintptr_t>());
  const std::string dtype = py::str(object.attr("dtype"));
  for (int i = 0; i < static_cast<int>(ScalarType::Other); ++i) {
    if (dtype == std::string("torch.") + kNames[i]) t.type = static_cast<ScalarType>(i);
  }
  for (const py::handle& size : object.attr("shape")) t.shape.push_back(size.cast<int64_t>());
  for (const py::handle& stride : object.attr("stride")()) t.steps.push_back(stride.cast<int64_t>());
  return t;
}

Value value_from(const py::handle& object, size_t position) {
  if (object.is_none()) return std::nullopt;
  if (py::isinstance<py::bool_>(object)) return object.cast<bool>();
  if (py::isinstance<py::int_>(object)) return object.cast<int64_t>();
  if (py::isinstance<py::float_>(object)) return object.cast<double>();
  return tensor_from(object, position);
}

// The card's memory is that of one call.
struct Buffers {
  ~Buffers() { emulator::forget_buffers(); }
};

void schedule(const std::string& order, uint64_t seed) {
  const std::map<std::string, emulator::Order> orders = {{"forward", emulator::Order::kForward},
                                                         {"reverse", emulator::Order::kReverse},
                                                         {"random", emulator::Order::kRandom}};
  emulator::set_schedule(orders.at(order), seed);
}

void card(int multiprocessors, int shared_of_block, int shared_of_multiprocessor) {
  emulator::card = {multiprocessors, shared_of_block, shared_of_multiprocessor};
}

// (kernel, blocks, threads of a block, bytes of dynamic shared memory) since the last call.
std::vector<std::tuple<std::string, unsigned, unsigned, size_t>> take_launches() {
  std::vector<std::tuple<std::string, unsigned, unsigned, size_t>> taken;
  for (const auto& l : emulator::launches) taken.emplace_back(l.kernel, l.blocks, l.threads, l.shared);
  emulator::launches.clear();
  return taken;
}

// What direct calls know tensors by: torch's own table, but for the device that its tensors are said to be on.
fastmetrics::dlpack::ExchangeApi lent;
int (*borrow)(void*, fastmetrics::dlpack::Tensor*);
std::map<void*, int32_t> devices;  // of tensors that are not on the first GPU; negative for the CPU

int borrow_as_cuda(void* object, fastmetrics::dlpack::Tensor* out) {
  const int error = borrow(object, out);
  const auto found = devices.find(object);
  const int32_t index = found == devices.end() ? 0 : found->second;
  if (error == 0 && index >= 0) out->device = {fastmetrics::dlpack::kCuda, index};
  return error;
}

py::capsule table(const py::capsule& own) {
  lent = *own.get_pointer<fastmetrics::dlpack::ExchangeApi>();
  borrow = lent.borrow;
  lent.borrow = &borrow_as_cuda;
  return py::capsule(&lent, "dlpack_exchange_api");
}

}  // namespace

void emulator::Library::impl(const char* name, Operator f) { operators()[name] = std::move(f); }

PYBIND11_MODULE(emulated, m) {
  for (const auto& [name, f] : operators()) {
    m.def(name.c_str(), [f = f](const py::args& args) -> py::object {
      std::vector<Value> values;
      for (size_t i = 0; i < args.size(); ++i) values.push_back(value_from(args[i], i));
      const Buffers buffers;
      const Value result = f(values);
      emulator::check_kept();
      if (!std::holds_alternative<Tensor>(result)) return py::none();
      const Tensor& made = std::get<Tensor>(result);
      const int64_t bytes = made.numel() * torch::headeronly::size_of(made.type);
      return py::bytes(static_cast<const char*>(made.data), static_cast<size_t>(bytes));
    });
  }
  m.def("schedule", &schedule, py::arg("order"), py::arg("seed") = 0);
  m.def("card", &card, py::arg("multiprocessors"), py::arg("shared_of_block"), py::arg("shared_of_multiprocessor"));
  m.def("take_launches", &take_launches);
  m.def("take_calls", [] { return std::exchange(emulator::calls, {}); });
  m.def("idle", [](bool idle) { emulator::idle = idle; });
  // Direct calls are given addresses alone: kernels may touch these tensors until they are taken back.
  m.def("lend", [](const py::args& tensors) {
    for (size_t i = 0; i < tensors.size(); ++i) tensor_from(tensors[i], i).mutable_data_ptr();
  });
  m.def("take_back", &emulator::forget_buffers);
  m.def("check_kept", &emulator::check_kept);
  // Of streams that are not the current one nothing is known but that they are others.
  m.def("stream", [](uintptr_t number) { emulator::stream = reinterpret_cast<void*>(number); });
  m.def("capturing", [](bool capturing) { emulator::capturing = capturing; });
  m.def("full", [](bool full) { emulator::full = full; });
  m.def("table", &table);
  m.def("say_device", [](const py::object& tensor, int32_t index) { devices[tensor.ptr()] = index; });
  m.def("forget_devices", [] { devices.clear(); });
  m.def("kernels", &emulator::kernels);
  m.def("failed_at", [] { return emulator::failed_at; });
}
