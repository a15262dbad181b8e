// SPDX-License-Identifier: Apache-2.0
//
// Calls of kernels from Python without PyTorch's dispatcher, which takes longer than a small batch does; what
// fastmetrics/native/direct.py loads. A call that is not of plain tensors on one device of the library, or that someone
// watches (a mode, a tracer, a profiler), goes to the operator. For the source that registers the operators, and no
// other.

#pragma once

#include "common/kernel.h"

#if __has_include(<Python.h>) && !defined(FM_NO_PYTHON)

#define Py_LIMITED_API 0x030A0000  // one library for every Python from 3.10 on
#include <Python.h>

#include <cstring>
#include <deque>
#include <exception>
#include <new>

#include "common/dlpack.h"

namespace fastmetrics::direct {
namespace {

constexpr int64_t kWorthUnlocking = 16384;  // elements
constexpr Py_ssize_t kMostListed = 16;      // tensors or integers; a longer list goes to the operator

const dlpack::ExchangeApi* api = nullptr;
PyTypeObject* tensor_type = nullptr;
PyObject* is_negated = nullptr;
PyObject* watchers = nullptr;  // tuple of functions that return what is false if nobody watches
Py_ssize_t watcher_count = 0;

// The direct call of a kernel.
struct Function {
  PyMethodDef method;
  const Signature* signature;
};

std::deque<Function>& functions() {
  static std::deque<Function> all;
  return all;
}

template <typename F>
PyCFunction as_method(F* function) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

DType dtype_of(const dlpack::Tensor& t) {
  if (t.dtype.lanes != 1) return DType::kOther;
  const int bits = t.dtype.bits;
  switch (t.dtype.code) {
    case dlpack::kBool:
      return bits == 8 ? DType::kBool : DType::kOther;
    case dlpack::kBFloat:
      return bits == 16 ? DType::kBFloat16 : DType::kOther;
    case dlpack::kFloat:
      return bits == 16 ? DType::kHalf : bits == 32 ? DType::kFloat : bits == 64 ? DType::kDouble : DType::kOther;
    case dlpack::kInt:
      return bits == 8    ? DType::kInt8
             : bits == 16 ? DType::kInt16
             : bits == 32 ? DType::kInt32
             : bits == 64 ? DType::kInt64
                          : DType::kOther;
    case dlpack::kUInt:
      return bits == 8    ? DType::kUInt8
             : bits == 16 ? DType::kUInt16
             : bits == 32 ? DType::kUInt32
             : bits == 64 ? DType::kUInt64
                          : DType::kOther;
    default:
      return DType::kOther;
  }
}

// Whether the result of a call, which is released here, is true; an error is.
bool is_true(PyObject* found) {
  const int is = found == nullptr ? -1 : PyObject_IsTrue(found);
  Py_XDECREF(found);
  if (is < 0) PyErr_Clear();
  return is != 0;
}

// Room for the views of a list, and for integers. It is not initialised.
struct Listed {
  Listed() {}  // NOLINT
  union {
    Output views[kMostListed];
  };
  int64_t integers[kMostListed];
};

// Each of these says whether the object is what the kernel takes; none leaves a Python error behind.
bool convert(PyObject* from, State* to, int32_t* device) {
  if (Py_TYPE(from) != tensor_type) return false;
  dlpack::Tensor t;
  if (api->borrow(from, &t) != 0) {
    PyErr_Clear();
    return false;
  }
  if (t.device.type != Target::kDeviceType) return false;
  *device = t.device.index;
  *to = State(static_cast<char*>(t.data) + t.byte_offset, dtype_of(t), t.dims, t.sizes, t.strides);
  return true;
}

// Whether memory holds what a tensor is. It says nothing of a sign that PyTorch has yet to change, as that of the
// imaginary part of a conjugate, whose elements are two apart; asking takes as long as the rest.
bool is_plain(PyObject* tensor, const State& view) {
  if (!is_floating(view.dtype()) || (view.numel() > 1 && view.is_contiguous())) return true;
  return !is_true(PyObject_CallFunctionObjArgs(is_negated, tensor, nullptr));
}

bool convert(PyObject* from, int64_t* to) {
  if (!PyLong_Check(from)) return false;
  *to = PyLong_AsLongLong(from);
  if (*to != -1 || PyErr_Occurred() == nullptr) return true;
  PyErr_Clear();
  return false;
}

bool convert(PyObject* from, bool* to) {
  *to = from == Py_True;
  return *to || from == Py_False;
}

bool convert(PyObject* from, double* to) {
  if (!PyFloat_Check(from) && !PyLong_Check(from)) return false;
  *to = PyFloat_AsDouble(from);
  if (*to != -1.0 || PyErr_Occurred() == nullptr) return true;
  PyErr_Clear();
  return false;
}

// Tensors of one device; none is of any. listed: [kMostListed], where their views go.
bool convert(PyObject* from, Output* listed, Views* to, int32_t* device) {
  const Py_ssize_t count = PyList_Check(from) ? PyList_Size(from) : kMostListed + 1;
  if (count > kMostListed) return false;
  const int32_t expected = *device;
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* one = PyList_GetItem(from, i);
    auto* view = new (listed + i) Output;
    if (!convert(one, view, device) || *device != expected || !is_plain(one, *view)) return false;
  }
  *to = {listed, static_cast<size_t>(count)};
  return true;
}

// listed: [kMostListed], where they go.
bool convert(PyObject* from, int64_t* listed, Integers* to) {
  const Py_ssize_t count = PyList_Check(from) ? PyList_Size(from) : kMostListed + 1;
  if (count > kMostListed) return false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!convert(PyList_GetItem(from, i), listed + i)) return false;
  }
  *to = {listed, static_cast<size_t>(count)};
  return true;
}

// device: of a tensor.
bool convert(PyObject* from, Parameter parameter, Argument* to, Listed* listed, int32_t* device) {
  switch (parameter) {
    case Parameter::kViews:
      return convert(from, listed->views, &to->views, device);
    case Parameter::kIntegers:
      return convert(from, listed->integers, &to->integers);
    case Parameter::kInteger:
      return convert(from, &to->integer);
    case Parameter::kNumber:
      return convert(from, &to->number);
    case Parameter::kFlag:
      return convert(from, &to->flag);
    case Parameter::kView:
      return convert(from, &to->view, device) && is_plain(from, to->view);
    default:
      return convert(from, &to->view, device);
  }
}

// The arguments behind the first one, which is a tensor on `device` and converted. Those that are left out are optional
// ones at the end.
bool convert_others(const Signature& signature, PyObject* const* from, size_t count, Argument* to, Listed* listed,
                    int32_t device) {
  for (size_t i = 1; i < signature.count; ++i) {
    to[i].there = i < count && !(signature.optional[i] && from[i] == Py_None);
    if (!to[i].there) {
      if (!signature.optional[i]) return false;
      continue;
    }
    int32_t found = device;
    if (!convert(from[i], signature.parameters[i], to + i, listed, &found) || found != device) return false;
  }
  return true;
}

bool interception_active() {
  for (Py_ssize_t i = 0; i < watcher_count; ++i) {
    if (is_true(PyObject_CallNoArgs(PyTuple_GetItem(watchers, i)))) return true;
  }
  return false;
}

PyObject* call_operator(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  PyObject* tuple = PyTuple_New(count);
  if (tuple == nullptr) return nullptr;
  for (ptrdiff_t i = 0; i < count; ++i) PyTuple_SetItem(tuple, i, Py_NewRef(arguments[i]));
  PyObject* result = PyObject_Call(self, tuple, nullptr);
  Py_DECREF(tuple);
  return result;
}

// What a call goes to that is for none of the devices of this library: the operator, or the function of another library
// for it, which is called at once.
PyObject* call_elsewhere(PyObject* self, PyObject* const* arguments, Py_ssize_t count, Py_ssize_t outputs) {
  if (!PyCFunction_Check(self) || PyCFunction_GetFlags(self) != METH_FASTCALL) {
    return call_operator(self, arguments, count - outputs);
  }
  using Function = PyObject*(PyObject*, PyObject* const*, Py_ssize_t);
  auto* other = reinterpret_cast<Function*>(reinterpret_cast<void (*)()>(PyCFunction_GetFunction(self)));
  return other(PyCFunction_GetSelf(self), arguments, count);
}

PyObject* none() { return Py_NewRef(Py_None); }

PyObject* raise(const char* message) {
  PyErr_SetString(PyExc_RuntimeError, message);
  return nullptr;
}

// Other Python threads may run meanwhile, if it is worth it.
class Unlocked {
 public:
  explicit Unlocked(int64_t elements) {
    if (elements > kWorthUnlocking) state_ = PyEval_SaveThread();
  }
  ~Unlocked() {
    if (state_ != nullptr) PyEval_RestoreThread(state_);
  }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;

 private:
  PyThreadState* state_ = nullptr;
};

// Converts the arguments behind the first one, which is; whether the kernel can be called with them.
bool convert_call(const Signature& signature, PyObject* const* arguments, Py_ssize_t count, Argument* converted,
                  Listed* listed, int32_t device) {
  return static_cast<size_t>(count) <= signature.count && !interception_active() &&
         (signature.parameters[0] != Parameter::kView || is_plain(arguments[0], converted[0].view)) &&
         convert_others(signature, arguments, static_cast<size_t>(count), converted, listed, device);
}

// Throws what the kernel does.
void call_kernel(const Signature& signature, Argument* converted, int32_t device) {
  const Unlocked unlocked(converted[0].view.numel());  // of what is read
  const Target::Guard guard(device);
  signature.call(converted);
}

[[maybe_unused]] PyObject* call(const Signature& signature, PyObject* self, PyObject* const* arguments,
                                Py_ssize_t count) {
  // an operator makes its result itself
  Py_ssize_t outputs = 0;
  for (size_t i = 0; i < signature.count; ++i) outputs += signature.parameters[i] == Parameter::kOutput;
  Argument converted[kMostParameters];
  Listed listed;
  int32_t device = 0;
  // the first argument of all is a tensor, which says whether the call is for this library
  converted[0].there = count > 0 && convert(arguments[0], &converted[0].view, &device);
  if (!converted[0].there) return call_elsewhere(self, arguments, count, outputs);
  if (!convert_call(signature, arguments, count, converted, &listed, device)) {
    return call_operator(self, arguments, count - outputs);
  }
  try {
    call_kernel(signature, converted, device);
  } catch (const std::exception& error) {
    return outputs > 0 ? call_operator(self, arguments, count - outputs) : raise(error.what());
  }
  return none();
}

template <auto function>
PyObject* call_of(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  return call(Kernel<function>::signature, self, arguments, count);
}

struct Registration {
  Registration(const char* name, PyObject* (*call)(PyObject*, PyObject* const*, Py_ssize_t),
               const Signature* signature) {
    functions().push_back({{name, as_method(call), METH_FASTCALL, nullptr}, signature});
  }
};

// set_up(torch.Tensor, its is_neg, its table of DLPack functions, watchers): whether direct calls can be made.
PyObject* set_up(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 4 || !PyTuple_Check(arguments[3])) return raise("set_up(type, is_neg, table, watchers)");
  auto* table = static_cast<dlpack::ExchangeApi*>(PyCapsule_GetPointer(arguments[2], "dlpack_exchange_api"));
  if (table == nullptr) return nullptr;
  if (table->version.major != dlpack::kMajor || table->borrow == nullptr) return PyBool_FromLong(0);
  tensor_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(arguments[0]));
  is_negated = Py_NewRef(arguments[1]);
  watchers = Py_NewRef(arguments[3]);
  watcher_count = PyTuple_Size(watchers);
  api = table;
  return PyBool_FromLong(1);
}

// bind(name, operator): the function that calls the kernel, or the operator; None without a kernel.
PyObject* bind(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  const char* name = count == 2 ? PyUnicode_AsUTF8AndSize(arguments[0], nullptr) : nullptr;
  if (name == nullptr) return raise("bind(name, operator)");
  for (Function& function : functions()) {
    if (strcmp(function.method.ml_name, name) == 0) return PyCFunction_NewEx(&function.method, arguments[1], nullptr);
  }
  return none();
}

constexpr int kMostMetadata = 64;

// Appends to `found`, [kMostMetadata] of which n are there, what is equal for tensors of the same device, dtype and
// shape; returns how many there are then, or -1 for others.
int describe(const State& view, int32_t device, int64_t* found, int n) {
  if (n < 0 || view.dtype() == DType::kOther || n + 4 + view.dim() > kMostMetadata) return -1;
  found[n++] = Target::kDeviceType;
  found[n++] = device;
  found[n++] = static_cast<int64_t>(view.dtype());
  found[n++] = view.dim();
  for (int64_t d = 0; d < view.dim(); ++d) found[n++] = view.size(d);
  return n;
}

// metadata(*tensors): bytes that are equal for plain tensors of the same devices, dtypes and shapes; None for any
// other.
PyObject* metadata(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  int64_t found[kMostMetadata];
  int n = 0;
  for (Py_ssize_t i = 0; i < count && n >= 0; ++i) {
    State view;
    int32_t device = 0;
    n = convert(arguments[i], &view, &device) ? describe(view, device, found, n) : -1;
  }
  if (n < 0) return none();
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(found), n * static_cast<Py_ssize_t>(sizeof(int64_t)));
}

// What the others of again() below stand for, behind the inputs. Whether they are all there, and what was given is
// used up.
bool find_arguments(PyObject* states, PyObject* others, Py_ssize_t inputs, PyObject* const* given, Py_ssize_t count,
                    PyObject** all) {
  Py_ssize_t next = inputs;
  for (Py_ssize_t i = 0; i < inputs; ++i) all[i] = given[i];
  for (Py_ssize_t i = 0; i < PyTuple_Size(others); ++i) {
    PyObject* one = PyTuple_GetItem(others, i);
    if (PyUnicode_Check(one)) {
      one = PyDict_GetItemWithError(states, one);
    } else if (one == Py_Ellipsis) {
      one = next < count ? given[next] : nullptr;
      ++next;
    }
    if (one == nullptr) {
      PyErr_Clear();
      return false;
    }
    all[inputs + i] = one;
  }
  return next == count;
}

// What again() below returns; self is what that was given, with the signature in place of the function.
PyObject* call_again(PyObject* self, PyObject* const* arguments, Py_ssize_t count) {
  PyObject *known = PyTuple_GetItem(self, 0), *others = PyTuple_GetItem(self, 3);
  const auto& signature = *static_cast<const Signature*>(PyCapsule_GetPointer(PyTuple_GetItem(self, 1), nullptr));
  const Py_ssize_t inputs = PyLong_AsSsize_t(PyTuple_GetItem(self, 4)), behind = PyTuple_Size(others);
  PyObject* all[kMostParameters];
  Argument converted[kMostParameters];
  Listed listed;
  int32_t device = 0;
  if (count < inputs || !find_arguments(PyTuple_GetItem(self, 2), others, inputs, arguments, count, all) ||
      !convert(all[0], &converted[0].view, &device) ||
      !convert_call(signature, all, inputs + behind, converted, &listed, device)) {
    return PyBool_FromLong(0);
  }
  int64_t found[kMostMetadata];
  int n = 0;
  for (Py_ssize_t i = 0; i < inputs; ++i) n = describe(converted[i].view, device, found, n);
  const auto bytes = n * static_cast<Py_ssize_t>(sizeof(int64_t));
  if (n < 0 || PyBytes_Size(known) != bytes || memcmp(PyBytes_AsString(known), found, bytes) != 0) {
    return PyBool_FromLong(0);
  }
  for (Py_ssize_t i = 0; i < behind; ++i) Py_INCREF(all[inputs + i]);  // another thread may put others in their place
  PyObject* result = nullptr;
  try {
    call_kernel(signature, converted, device);
    result = PyBool_FromLong(1);
  } catch (const std::exception& error) {
    raise(error.what());
  }
  for (Py_ssize_t i = 0; i < behind; ++i) Py_DECREF(all[inputs + i]);
  return result;
}

// again(metadata, function, states, others, inputs): a function of as many tensors that calls the kernel of `function`,
// which bind() has made, with them and with `others`, and says True; or False, having done nothing, if the tensors have
// other metadata, or someone watches. A string among `others` stands for the state of that name, and an ellipsis for a
// further argument. None if that cannot be done.
PyObject* again(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  static PyMethodDef method = {"again", as_method(&call_again), METH_FASTCALL, nullptr};
  if (count != 5 || !PyBytes_Check(arguments[0]) || !PyDict_Check(arguments[2]) || !PyTuple_Check(arguments[3]) ||
      !PyLong_Check(arguments[4])) {
    return raise("again(metadata, function, states, others, inputs)");
  }
  int64_t type = -1;
  if (PyBytes_Size(arguments[0]) > 0) memcpy(&type, PyBytes_AsString(arguments[0]), sizeof(type));
  if (type != Target::kDeviceType) return none();
  const Signature* signature = nullptr;
  // that of another library may come first, and goes to the one of this
  for (PyObject* one = arguments[1]; signature == nullptr && PyCFunction_Check(one); one = PyCFunction_GetSelf(one)) {
    for (const Function& function : functions()) {
      if (PyCFunction_GetFunction(one) == function.method.ml_meth) signature = function.signature;
    }
  }
  const Py_ssize_t inputs = PyLong_AsSsize_t(arguments[4]), all = inputs + PyTuple_Size(arguments[3]);
  if (signature == nullptr || inputs < 1 || static_cast<size_t>(all) > signature->count) return none();
  for (Py_ssize_t i = 0; i < inputs; ++i) {
    if (signature->parameters[i] != Parameter::kView || signature->optional[i]) return none();
  }
  PyObject* self = PyTuple_New(count);
  PyObject* capsule = PyCapsule_New(const_cast<Signature*>(signature), nullptr, nullptr);
  if (self == nullptr || capsule == nullptr) return nullptr;
  for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SetItem(self, i, i == 1 ? capsule : Py_NewRef(arguments[i]));
  PyObject* function = PyCFunction_NewEx(&method, self, nullptr);
  Py_DECREF(self);
  return function;
}

// is_zero(tensor): whether it is a plain CPU tensor of int64, contiguous and zero.
PyObject* is_zero(PyObject*, PyObject* tensor) {
  State view;
  int32_t device = 0;
  if (Target::kDeviceType != dlpack::kCpu || !convert(tensor, &view, &device)) return PyBool_FromLong(0);
  if (view.dtype() != DType::kInt64 || !view.is_contiguous()) return PyBool_FromLong(0);
  const auto* values = static_cast<const int64_t*>(view.const_data_ptr());
  int64_t bits = 0;
  for (int64_t i = 0; i < view.numel(); ++i) bits |= values[i];
  return PyBool_FromLong(bits == 0);
}

// in_threads(function, threads): calls function() in each of as many threads as come, which are those of the loops:
// others would share the processors with them, for they wait busily.
PyObject* in_threads(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
  if (count != 2 || !PyLong_Check(arguments[1])) return raise("in_threads(function, threads)");
  PyObject* function = arguments[0];
  const int64_t threads = PyLong_AsLongLong(arguments[1]);
  PyThreadState* state = PyEval_SaveThread();
  Target::in_threads(threads, [&] {
    const PyGILState_STATE held = PyGILState_Ensure();
    PyObject* result = PyObject_CallNoArgs(function);
    if (result == nullptr) PyErr_WriteUnraisable(function);
    Py_XDECREF(result);
    PyGILState_Release(held);
  });
  PyEval_RestoreThread(state);
  return none();
}

// interception_active(): whether direct calls go to their operators.
PyObject* py_interception_active(PyObject*, PyObject*) { return PyBool_FromLong(interception_active()); }

}  // namespace
}  // namespace fastmetrics::direct

PyMODINIT_FUNC PyInit_fastmetrics_direct() {
  using namespace fastmetrics::direct;
  static PyMethodDef methods[] = {{"set_up", as_method(&set_up), METH_FASTCALL, nullptr},
                                  {"bind", as_method(&bind), METH_FASTCALL, nullptr},
                                  {"metadata", as_method(&metadata), METH_FASTCALL, nullptr},
                                  {"again", as_method(&again), METH_FASTCALL, nullptr},
                                  {"is_zero", as_method(&is_zero), METH_O, nullptr},
                                  {"in_threads", as_method(&in_threads), METH_FASTCALL, nullptr},
                                  {"interception_active", as_method(&py_interception_active), METH_NOARGS, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};
  static PyModuleDef module = {
      PyModuleDef_HEAD_INIT, "fastmetrics_direct", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};
  return PyModule_Create(&module);
}

#define FM_DIRECT_CALL(name, function)                                                  \
  static const fastmetrics::direct::Registration C10_CONCATENATE(direct_call, C10_UID)( \
      name, &fastmetrics::direct::call_of<function>, &fastmetrics::Kernel<function>::signature);
#else
#define FM_DIRECT_CALL(name, function)
#endif
