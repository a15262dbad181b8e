# SPDX-License-Identifier: Apache-2.0
"""Calls of kernels without PyTorch's dispatcher, which takes longer than a small batch does.

A library is also a Python module. Its functions take the arguments of an operator and call its kernel if all of them
are plain tensors on one device that the library is for, and nothing intercepts calls: no mode, tracer, transform or
profiler. Otherwise they call the operator. A library that was compiled without Python's headers, and a PyTorch that
does not lend its tensors to C functions, have no such calls; all goes through the dispatcher then.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec
from threading import Thread
from types import BuiltinFunctionType
from typing import Any

import torch
from torch import Tensor

_NAME = "fastmetrics_direct"

Bind = Callable[[str, Callable[..., Any]], Callable[..., Any] | None]


def _no_metadata(*tensors: Tensor) -> bytes | None:
    return None


def _never(tensor: Tensor) -> bool:
    return False


def _not_intercepted() -> bool:
    return False


def _in_new_threads(function: Callable[[], None], threads: int) -> None:
    others = [Thread(target=function) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    function()
    for thread in others:
        thread.join()


#: What is equal for plain CPU tensors of the same dtypes and shapes; None if it is not known.
metadata: Callable[..., bytes | None] = _no_metadata

#: The same of tensors on one GPU.
metadata_on_gpu: Callable[..., bytes | None] = _no_metadata

#: See :func:`again`, for the kernels of one library each.
_makers: list[Callable[..., Callable[..., bool] | None]] = []

#: Whether a tensor is known to be zero: a plain one of int64 on the CPU.
is_zero: Callable[[Tensor], bool] = _never

#: See :func:`fastmetrics.native.operators.in_threads`, for a function that raises nothing.
in_threads: Callable[[Callable[[], None], int], None] = _in_new_threads

#: Whether a mode, tracer, transform or profiler is active, which has to see the operator.
interception_active: Callable[[], bool] = _not_intercepted


def load(path: str, device: str = "cpu") -> Bind | None:
    """What makes the direct call of an operator's kernel in the library at ``path``; None if there are none.

    Args:
        path: of the library.
        device: what it is for.
    """
    try:
        interceptors = (
            torch._C._len_torch_dispatch_stack,
            torch._C._len_torch_function_stack,
            torch._C._is_tracing,
            torch._C._functorch.peek_interpreter_stack,
            torch.autograd._profiler_enabled,  # type: ignore[attr-defined]
        )
        lent = Tensor.__dlpack_c_exchange_api__
    except AttributeError:
        return None
    loader = ExtensionFileLoader(_NAME, path)
    try:
        module: Any = module_from_spec(ModuleSpec(_NAME, loader, origin=path))
    except ImportError:
        return None
    if not module.set_up(Tensor, Tensor.is_neg, lent, interceptors):
        return None
    _makers.append(module.again)
    if device == "cuda":
        global metadata_on_gpu  # noqa: PLW0603 - as those of the CPU
        metadata_on_gpu = module.metadata
    else:
        global metadata, is_zero, interception_active, in_threads
        metadata, is_zero = module.metadata, module.is_zero
        interception_active, in_threads = module.interception_active, module.in_threads
    bind: Bind = module.bind
    return bind


def again(call: Callable[..., Any], known: Any, *others: Any) -> Callable[..., bool] | None:
    """See :func:`fastmetrics.native.operators.again`: of a direct call, and the metadata of its tensors."""
    if isinstance(call, BuiltinFunctionType) and isinstance(known, bytes):
        for make in _makers:  # one of them knows the kernel
            found = make(known, call, *others)
            if found is not None:
                return found
    return None
