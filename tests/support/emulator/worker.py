# SPDX-License-Identifier: Apache-2.0
"""Runs cases on a module in a process of its own, without torch: sanitizers and broken kernels do not mix with pytest.

``python worker.py module.so cases.pickle [order ...]`` ends with 0 if every case gave what it should under every
schedule, or those of the orders, else with 1 and the reason.
"""

import ctypes
import importlib.machinery
import importlib.util
import math
import pickle
import struct
import sys

# (order, seed, multiprocessors): few and many blocks, in any order
SCHEDULES = (("forward", 0, 4), ("reverse", 0, 1), ("random", 1, 7))

# How far sums may be from those of another order.
RELATIVE, ABSOLUTE = 1e-11, 1e-11
# Operators that compute in float32 where their input is not float64.
IN_FLOATS, RELATIVE_OF_FLOATS = ("token_rows", "keep_scores_"), 2e-6


class Buffer:
    """A tensor to the module: what it asks of torch's, over bytes that end where the elements do."""

    def __init__(self, dtype, shape, strides, data, past):
        """past: how many bytes the address is past a multiple of 16."""
        self.dtype, self.shape, self._strides, self.size = dtype, shape, strides, len(data)
        self._before = 32 + past  # ctypes puts small ones elsewhere, unaligned
        self._memory = ctypes.create_string_buffer(self._before + len(data))
        if ctypes.addressof(self._memory) % 16:
            raise MemoryError("a buffer came out unaligned")
        self.write(data)

    def data_ptr(self):
        return ctypes.addressof(self._memory) + self._before

    def stride(self):
        return self._strides

    def read(self):
        return ctypes.string_at(self.data_ptr(), self.size)

    def write(self, data):
        ctypes.memmove(self.data_ptr(), data, len(data))


def elements(tensor):
    """All that lies from the first element of a tensor of torch to its last."""
    extent = 1 + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.as_strided((extent if tensor.numel() else 0,), (1,))


def encode(tensor):
    """A tensor of torch as the arguments of :class:`Buffer`."""
    import torch

    data = elements(tensor).contiguous().view(torch.uint8).numpy().tobytes()
    return str(tensor.dtype), tuple(tensor.shape), tensor.stride(), data, tensor.data_ptr() % 16


def relative(operator, dtype):
    """How far sums of an operator may be from those of another order, by the dtype of its first argument."""
    return RELATIVE_OF_FLOATS if operator in IN_FLOATS and dtype != "torch.float64" else RELATIVE


def close(ours, theirs, dtype, most=RELATIVE):
    """Equal, or close where sums were rounded, by ``most`` of them; of float32 with the same signs."""
    if dtype not in ("torch.float32", "torch.float64"):
        return ours == theirs
    code = "f" if dtype == "torch.float32" else "d"
    values = (struct.iter_unpack(code, some) for some in (ours, theirs))
    pairs = [(x, y) for (x,), (y,) in zip(*values, strict=True)]
    if code == "f" and any(math.copysign(1, x) != math.copysign(1, y) for x, y in pairs if x == x):
        return False
    return all(x == y or abs(x - y) <= ABSOLUTE + most * abs(y) or (x != x and y != y) for x, y in pairs)


def run(module, cases, orders):
    """The first thing that is wrong, or None."""
    for number, (operator, arguments, expected) in enumerate(cases):
        first = None
        for order, seed, multiprocessors in SCHEDULES:
            if orders and order not in orders:
                continue
            module.schedule(order, seed)
            module.card(multiprocessors, 101376, 102400)
            given = [Buffer(*a) if isinstance(a, tuple) else a for a in arguments]
            try:
                result = getattr(module, operator)(*given)
            except RuntimeError as error:
                return f"case {number}, {order}: {error}"
            found = [a.read() if isinstance(a, Buffer) else a for a in given]
            if result is not None:
                found.append(result)
            for position, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
                if isinstance(ours, bytes) and not close(
                    ours, theirs[3], theirs[0], relative(operator, arguments[0][0])
                ):
                    return f"case {number}, {order}: wrong result in argument {position} of {operator}"
            if first is not None and first != found:
                return f"case {number}, {order}: other bits than with another schedule"
            first = found
    return None


def main():
    path, cases, *orders = sys.argv[1:]
    loader = importlib.machinery.ExtensionFileLoader("emulated", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location("emulated", path, loader=loader))
    loader.exec_module(module)
    with open(cases, "rb") as file:
        wrong = run(module, pickle.load(file), orders)
    if wrong is not None:
        print(wrong)
        sys.exit(1)


if __name__ == "__main__":
    main()
