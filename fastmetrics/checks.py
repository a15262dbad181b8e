# SPDX-License-Identifier: Apache-2.0
"""Whether the arguments of an update are tensors that a pass can read."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor


def require_tensors(label: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise if arguments are missing, or are no dense tensors where the signature wants some.

    Args:
        label: how messages call the metric.
        signature: of its update.
        args: by position.
        kwargs: by name.

    Raises:
        TypeError: they are missing, or no tensors.
        ValueError: a sparse, nested or quantized tensor.
    """
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{label}: {error}.") from None
    for name, value in given.items():
        wanted = str(signature.parameters[name].annotation)
        if "Tensor" in wanted and not (value is None and "None" in wanted):
            require_dense_tensor(label, name, value)


def require_dense(label: str, signature: inspect.Signature, inputs: tuple[Any, ...]) -> None:
    """Raise if any input is no tensor, or one whose elements do not lie in memory as they are.

    Args:
        label: how messages call the metric.
        signature: of its update, whose first parameters are the inputs.
        inputs: what is read.

    Raises:
        TypeError: no tensor.
        ValueError: a sparse, nested or quantized tensor.
    """
    for name, value in zip(signature.parameters, inputs, strict=False):
        require_dense_tensor(label, name, value)


def require_dense_tensor(label: str, name: str, value: Any) -> None:
    """Raise as :func:`require_dense`, for one argument."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{label}: expected `{name}` to be a tensor, but got {type(value).__name__}.")
    if value.layout != torch.strided or value.is_nested or value.is_quantized:
        kind = "nested" if value.is_nested else "quantized" if value.is_quantized else str(value.layout)
        cure = "dequantize" if value.is_quantized else "to_padded_tensor" if value.is_nested else "to_dense"
        raise ValueError(f"{label}: expected `{name}` to be a dense tensor, but got {kind}. Try `{name}.{cure}`.")
