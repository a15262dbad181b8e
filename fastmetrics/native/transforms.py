# SPDX-License-Identifier: Apache-2.0
"""What the transforms of ``torch.func`` ask of code that writes into tensors and looks at them.

Under ``vmap`` a tensor stands for one of many samples. An operation cannot write such samples into a tensor that stands
for itself alone, and the host cannot read a value of which there are many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
from torch.autograd import forward_ad
from torch.compiler import is_compiling
from torch.utils import _pytree as pytree

_functorch = torch._C._functorch


def active() -> bool:
    """Whether a transform runs."""
    return bool(_functorch.get_dynamic_layer_stack_depth())  # of which a trace of ``torch.compile`` knows, too


def suspended() -> AbstractContextManager[Any]:
    """Tensors that are made within outlive the transforms; in a trace of ``torch.compile`` they are its constants."""
    if is_compiling() or not active():
        return nullcontext()
    return temporarily_clear_interpreter_stack()


def _runs(kind: Any) -> bool:
    return any(level.key() == kind for level in _functorch.get_interpreter_stack() or ())


def functionalizing() -> bool:
    """Whether one of the transforms is ``functionalize``, which takes no operator that writes into a state."""
    return _runs(_functorch.TransformType.Functionalize)


def differentiated(inputs: Iterable[Tensor]) -> bool:
    """Whether derivatives by any of the inputs are asked for, backwards or forwards."""
    if forward_ad._current_level >= 0:
        return True
    if torch.is_grad_enabled():
        for value in inputs:
            if value.requires_grad:
                return True
    return False


def like_inputs(state: Tensor, *inputs: Tensor | None) -> Tensor:
    """A new state into which these inputs can be added: under ``vmap`` one for each of their samples.

    Args:
        state: to begin with.
        inputs: of the operator that is to write into it.
    """
    if active():
        for value in inputs:
            if value is not None:
                state = state + value.new_zeros((), dtype=state.dtype)
    return state


def samples(tensor: Tensor) -> Tensor:
    """Every sample that a tensor stands for, ``[*K, *shape]``, K for each ``vmap``; the tensor itself without any."""
    while not is_compiling() and _functorch.is_functorch_wrapped_tensor(tensor):
        if _functorch.is_functionaltensor(tensor):
            torch._sync(tensor)  # type: ignore[attr-defined, no-untyped-call]
        dim = _functorch.maybe_get_bdim(tensor)
        tensor = _functorch.get_unwrapped(tensor)
        if dim >= 0:
            tensor = tensor.movedim(dim, 0)
    return tensor


_unasked: ContextVar[bool] = ContextVar("unasked", default=False)


def without_looking() -> AbstractContextManager[Any]:
    """Where :func:`any_holds` is False, as for the values of many groups: an undefined one must not hide the others."""
    return nullcontext() if is_compiling() else _without_looking()


@contextmanager
def _without_looking() -> Iterator[None]:
    token = _unasked.set(True)
    try:
        yield
    finally:
        _unasked.reset(token)


def looks() -> bool:
    """Whether values may decide what is done."""
    return not (is_compiling() or _unasked.get())


def any_holds(condition: Tensor) -> bool:
    """Whether a condition holds for any element of any sample; False in a trace of ``torch.compile``.

    For warnings and errors that values decide. It waits for the device.
    """
    return looks() and _any(samples(condition))


def may_hold(condition: Tensor) -> bool:
    """The same, but True in a trace, and for the values of many groups.

    For values that are rarely computed.
    """
    return not looks() or _any(samples(condition))


def _any(condition: Tensor) -> bool:
    return bool(condition if condition.numel() == 1 else condition.any())


def each_sample(function: Callable[..., Any], *inputs: Tensor | None) -> Any:
    """``function(*inputs)``; under ``vmap`` it is called for one sample after the other, and its results are stacked.

    For what looks at the values of its inputs. The results have no derivatives.
    """
    if not active():
        return function(*inputs)
    if not _runs(_functorch.TransformType.Vmap):
        values = [None if value is None else samples(value) for value in inputs]
        with suspended():
            return function(*values)
    spec: pytree.TreeSpec | None = None

    def flat(*inputs: Tensor | None) -> tuple[Tensor, ...]:
        nonlocal spec
        leaves, found = pytree.tree_flatten(function(*inputs))
        if spec is not None and found != spec:
            raise RuntimeError("vmap stacks the results of its samples, but these are named by values that differ.")
        spec = found
        return tuple(leaves)

    inputs = tuple(None if value is None else value.detach() for value in inputs)
    found = _EachSample.apply(flat, *inputs)  # type: ignore[no-untyped-call]
    assert spec is not None
    return pytree.tree_unflatten(list(found), spec)


class _EachSample(torch.autograd.Function):
    """A function that returns tensors, called for each sample of ``vmap``."""

    @staticmethod
    def forward(function: Callable[..., tuple[Tensor, ...]], *inputs: Tensor | None) -> tuple[Tensor, ...]:
        """Call it."""
        return function(*inputs)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        """There are no derivatives."""
        ctx.mark_non_differentiable(*output)

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], function: Callable[..., tuple[Tensor, ...]], *inputs: Tensor | None
    ) -> tuple[tuple[Tensor, ...], int]:
        """Call it for each sample, and stack what it returns."""
        found = []
        for sample in range(info.batch_size):
            one = [
                value if value is None or dim is None else value.select(dim, sample)
                for value, dim in zip(inputs, in_dims[1:], strict=True)
            ]
            found.append(_EachSample.apply(function, *one))  # type: ignore[no-untyped-call]
        return tuple(torch.stack(values) for values in zip(*found, strict=True)), 0
