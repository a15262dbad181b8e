# SPDX-License-Identifier: Apache-2.0
"""How a function of tensors becomes an operator.

The schema and a pure-torch body are written in Python; the native libraries only add kernels to the same operator. The
dispatcher is the fallback: a device without a kernel, a machine without a compiler and ``vmap`` run the body.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import torch
from torch import Tensor
from torch.compiler import is_compiling

from fastmetrics import native
from fastmetrics.native import direct, transforms

_library = torch.library.Library("fastmetrics", "DEF")
_VMAP = "FuncTorchBatchedDecomposition"  # the dispatch key of what vmap runs in place of an operator


def constant_in_graphs(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``torch.compile`` call a function while it traces its caller, instead of tracing it.

    This is ``torch.compiler.assume_constant_result``, which takes seconds to import the compiler.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


def define(
    schema: str,
    body: Callable[..., Any],
    fake: Callable[..., Any],
    kernels: tuple[str, ...] = ("cpu", "cuda"),
    result: Callable[..., Tensor] | None = None,
    library: str = "counts",
) -> Callable[..., Any]:
    """Register an operator, ``torch.ops.fastmetrics.<name>``, and return the function that calls it.

    The first call on a device type reaches ``body``'s wrapper, which asks for the native library of that device once.
    If that brings a kernel, the call is dispatched again and later calls never come here. Once a library is there the
    function goes by :mod:`fastmetrics.native.direct`; once that of the CPU is known to be missing, plain CPU tensors go
    to the body itself. It takes positional arguments only.

    What an operator returns and what it writes into has no derivatives: the body sees its arguments detached.

    Under the transforms of ``torch.func`` that take an operator apart, ``vmap`` and ``functionalize``, the body serves.
    States that the operator writes into have to be made for it, see :func:`fastmetrics.native.transforms.like_inputs`.

    Args:
        schema: operator schema; the first argument is a tensor and its device decides which library to load.
        body: what the operator means, in torch operations. It must not synchronise with the device, and may look at its
            data where it is :func:`eager_on_cpu`.
        fake: checks shapes and dtypes on fake tensors, and returns what the operator returns.
        kernels: device types for which the native libraries have a kernel.
        result: takes the same arguments and makes, of the right shape and dtype, what a direct call fills; for an
            operator that returns a tensor and has a direct call.
        library: which of the native libraries has the kernels; see :mod:`fastmetrics.native.parameters`.
    """
    name = schema.partition("(")[0]
    has_kernel = torch._C._dispatch_has_kernel_for_dispatch_key

    def body_without_graph(*args: Any) -> Any:
        return body(*map(_detached, args))

    def python_kernel(*args: Any) -> Any:
        device = args[0].device.type
        # a library that lacks this kernel would send the call back here for ever
        if device in kernels and native.load(device, library) and has_kernel(f"fastmetrics::{name}", device.upper()):
            return operator(*args)
        return body_without_graph(*args)

    _library.define(schema, tags=(torch.Tag.pt2_compliant_tag,))
    _library.impl(name, python_kernel, "CompositeExplicitAutograd")
    if hasattr(torch._C.DispatchKey, _VMAP):
        _library.impl(name, body_without_graph, _VMAP)
    torch.library.register_fake(f"fastmetrics::{name}", fake, lib=_library)
    operator: Callable[..., Any] = getattr(torch.ops.fastmetrics, name).default
    direct_call: Callable[..., Any] | None = None

    def dispatched(*args: Any) -> Any:
        return body_without_graph(*args) if transforms.functionalizing() else operator(*args)

    def without_kernel(*args: Any) -> Any:
        for value in args:
            if isinstance(value, Tensor) and value.requires_grad:
                return dispatched(*args)
        return body(*args) if eager_on_cpu(args[0]) else dispatched(*args)

    def find_direct() -> Callable[..., Any]:
        nonlocal direct_call
        direct_call = native.direct_call(library, name, dispatched)
        if direct_call is None and native.is_missing("cpu", library):
            direct_call = without_kernel  # the dispatcher would only lead there
        return dispatched if direct_call is None else direct_call

    def forget_direct() -> None:
        nonlocal direct_call
        direct_call = None

    native.on_load.append(forget_direct)

    def call(*args: Any) -> Any:
        if is_compiling():
            return operator(*args)
        return (direct_call or find_direct())(*args)

    def call_for_result(*args: Any) -> Any:
        if is_compiling():
            return operator(*args)
        if type(args[0]) is not Tensor or not args[0].is_cpu:
            return dispatched(*args)
        kernel = direct_call or find_direct()
        if kernel is without_kernel:
            return kernel(*args)
        if kernel is dispatched or direct.interception_active():
            return dispatched(*args)
        filled = result(*args)  # type: ignore[misc]
        made = kernel(*args, filled)
        return filled if made is None else made  # by the operator, then

    if result is not None:
        return call_for_result
    call.direct = lambda: direct_call or find_direct()  # type: ignore[attr-defined]
    return call


def again(
    function: Callable[..., Any], inputs: tuple[Tensor, ...], states: dict[str, Any], others: tuple[Any, ...]
) -> Callable[..., bool] | None:
    """What calls an operator with tensors like these again, in one call without any Python; None if nothing does.

    It takes as many tensors. If their metadata is that of ``inputs``, and nothing intercepts calls, it calls the kernel
    with them and with ``others`` and says True; otherwise it says False and has done nothing.

    Args:
        function: what :func:`define` returned, of an operator without a result.
        inputs: its first arguments.
        states: looked up whenever it is called.
        others: the arguments behind the inputs: the name of a state stands for that state, ``...`` for an argument that
            each call gives behind its tensors.
    """
    find = getattr(function, "direct", None)
    return None if find is None else direct.again(find(), metadata(*inputs), states, others, len(inputs))


def _detached(value: Any) -> Any:
    if isinstance(value, list):
        return [_detached(part) for part in value]
    return value.detach() if isinstance(value, Tensor) else value


def eager_on_cpu(*tensors: Tensor) -> bool:
    """Whether a body may look at these values and branch on them.

    So it is on the CPU, unless a mode, a tracer or a transform of ``torch.func`` is active: nothing waits for a device.
    """
    for tensor in tensors:
        if type(tensor) is not Tensor or not tensor.is_cpu:
            return False
    return not _intercepted()


def _intercepted() -> bool:
    """Whether a mode, a tracer or a transform of ``torch.func`` is active."""
    return bool(
        is_compiling()
        or transforms.active()
        or torch._C._len_torch_dispatch_stack()
        or torch._C._len_torch_function_stack()
        or torch._C._get_tracing_state() is not None
    )


def metadata(*tensors: Tensor) -> Hashable | None:
    """What is equal for plain dense tensors of the same devices, dtypes and shapes; None if it is not known."""
    return direct.metadata(*tensors) or direct.metadata_on_gpu(*tensors) or _metadata(*tensors)


def _metadata(*tensors: Tensor) -> Hashable | None:
    """The same of tensors on several devices, on others, or without a native library."""
    found: list[Hashable] = []
    for tensor in tensors:
        if type(tensor) is not Tensor or tensor.layout is not torch.strided or tensor.is_nested:
            return None
        found += (tensor.dtype, tensor.shape, tensor.device)
    return None if _intercepted() else tuple(found)


def in_threads(function: Callable[[], None], threads: int) -> None:
    """Call a function in each of some threads, this one among them, and wait for all.

    They are those of the kernels where there are some: threads of Python's would share the processors with these, which
    wait busily for what comes next.

    Args:
        function: may be called fewer times than there are threads.
        threads: how many, at least 1.

    Raises:
        Exception: the first that the function raises.
    """
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    direct.in_threads(call, threads)
    if raised:
        raise raised[0]


def is_zero(tensor: Tensor) -> bool:
    """Whether a tensor is known to be zero without waiting for a device: a plain one of int64 on the CPU."""
    return direct.is_zero(tensor)
