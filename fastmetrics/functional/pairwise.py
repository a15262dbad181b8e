# SPDX-License-Identifier: Apache-2.0
"""Similarities and distances of all pairs of rows of one or two matrices.

None of them forms the ``[N, M, d]`` differences of all pairs: products of rows are matrix products, and the distances
that are none are summed pair by pair. All keep gradients.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchmetrics.utilities.exceptions import TorchMetricsUserError

from fastmetrics import dtypes
from fastmetrics.checks import require_dense_tensor

__all__ = [
    "pairwise_cosine_similarity",
    "pairwise_euclidean_distance",
    "pairwise_linear_similarity",
    "pairwise_manhattan_distance",
    "pairwise_minkowski_distance",
]

REDUCTIONS = ("mean", "sum", "none", None)


def pairwise_cosine_similarity(
    x: Tensor, y: Tensor | None = None, reduction: str | None = None, zero_diagonal: bool | None = None
) -> Tensor:
    r"""Cosine of the angle between each row of ``x`` and each of ``y``, :math:`\frac{x \cdot y}{|x|\,|y|}`.

    Lengths are summed in float64, so that no square overflows. The products of normalized rows are a matrix product in
    the dtype of ``x``, float32 at least; the error is that of a sum of d products in it.

    Args:
        x: ``[N, d]`` of a floating type.
        y: ``[M, d]``; None compares the rows of ``x`` with each other.
        reduction: over the rows of ``y``: ``mean``, ``sum``, or ``none`` or None for the value of each pair.
        zero_diagonal: whether the value of row i with row i is 0. None: if ``y`` is not given.

    Returns:
        ``[N, M]``, or ``[N]`` with a reduction, in the dtype of ``x``; NaN for a row of zeros.

    Raises:
        TypeError: an input that is no tensor, or not of a floating type.
        ValueError: shapes that do not fit, or another ``reduction``.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.pairwise import pairwise_cosine_similarity
        >>> x, y = torch.tensor([[3.0, 4.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> pairwise_cosine_similarity(x, y)
        tensor([[0.6000, 0.8000],
                [1.0000, 0.0000]])
        >>> pairwise_cosine_similarity(x)
        tensor([[0.0000, 0.6000],
                [0.6000, 0.0000]])
    """
    name = "pairwise_cosine_similarity"
    x, y, zero_diagonal = _checked(name, x, y, reduction, zero_diagonal)
    if not (x.is_floating_point() and y.is_floating_point()):
        raise TypeError(f"{name}: expected `x` and `y` of a floating type, but got {x.dtype} and {y.dtype}.")
    of_x = _unit(x)
    return _finished(_products(of_x, of_x if y is x else _unit(y), x.dtype), reduction, zero_diagonal)


def pairwise_linear_similarity(
    x: Tensor, y: Tensor | None = None, reduction: str | None = None, zero_diagonal: bool | None = None
) -> Tensor:
    r"""Inner product of each row of ``x`` with each of ``y``, :math:`x \cdot y`: a matrix product.

    Args:
        x: ``[N, d]`` of any real type; f16 and bf16 are multiplied in float32.
        y: ``[M, d]``; None compares the rows of ``x`` with each other.
        reduction: over the rows of ``y``: ``mean``, ``sum``, or ``none`` or None for the value of each pair.
        zero_diagonal: whether the value of row i with row i is 0. None: if ``y`` is not given.

    Returns:
        ``[N, M]``, or ``[N]`` with a reduction, in the dtype of ``x``.

    Raises:
        TypeError: an input that is no tensor of a real type.
        ValueError: shapes that do not fit, or another ``reduction``.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.pairwise import pairwise_linear_similarity
        >>> x, y = torch.tensor([[2.0, 3.0], [3.0, 5.0]]), torch.tensor([[1.0, 0.0], [2.0, 1.0]])
        >>> pairwise_linear_similarity(x, y)
        tensor([[ 2.,  7.],
                [ 3., 11.]])
        >>> pairwise_linear_similarity(x, reduction="sum")
        tensor([21., 21.])
    """
    x, y, zero_diagonal = _checked("pairwise_linear_similarity", x, y, reduction, zero_diagonal)
    return _finished(_products(x, y, x.dtype), reduction, zero_diagonal)


def pairwise_euclidean_distance(
    x: Tensor, y: Tensor | None = None, reduction: str | None = None, zero_diagonal: bool | None = None
) -> Tensor:
    r"""Euclidean distance of each row of ``x`` to each of ``y``, :math:`|x - y|_2`.

    It is :math:`\sqrt{|x|^2 + |y|^2 - 2 x \cdot y}` of rows from which the mean of ``x`` has been subtracted, in
    float64: a common offset costs no digits. What is left to cancel is some 1e-16 of the squares: a distance as
    great as that of its rows from the mean is off by 1e-15 of itself, a small one, as of equal rows, by at most 1e-8 of
    the latter. It is never NaN for finite rows.

    Args:
        x: ``[N, d]`` of any real type.
        y: ``[M, d]``; None compares the rows of ``x`` with each other.
        reduction: over the rows of ``y``: ``mean``, ``sum``, or ``none`` or None for the value of each pair.
        zero_diagonal: whether the distance of row i and row i is 0. None: if ``y`` is not given.

    Returns:
        ``[N, M]``, or ``[N]`` with a reduction, in the dtype of ``x``; of integers, in torch's default dtype.

    Raises:
        TypeError: an input that is no tensor of a real type.
        ValueError: shapes that do not fit, or another ``reduction``.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.pairwise import pairwise_euclidean_distance
        >>> x, y = torch.tensor([[2.0, 3.0], [3.0, 5.0]]), torch.tensor([[1.0, 0.0], [2.0, 1.0]])
        >>> pairwise_euclidean_distance(x, y)
        tensor([[3.1623, 2.0000],
                [5.3852, 4.1231]])
        >>> pairwise_euclidean_distance(x)
        tensor([[0.0000, 2.2361],
                [2.2361, 0.0000]])
    """
    x, y, zero_diagonal = _checked("pairwise_euclidean_distance", x, y, reduction, zero_diagonal)
    a, b = x.double(), y.double()
    if a.shape[0]:
        offset = a.detach().mean(0).nan_to_num(0.0, 0.0, 0.0)  # a row that is not finite leaves the others as they are
        a, b = a - offset, b - offset
    squares = torch.addmm(b.square().sum(1), a, b.T, alpha=-2).add_(a.square().sum(1, keepdim=True)).clamp_min_(0)
    if zero_diagonal:  # before the root, whose derivative at 0 is infinite
        squares.fill_diagonal_(0)
    return _finished(squares.sqrt_().to(dtypes.of_values([x])), reduction, False)


def pairwise_manhattan_distance(
    x: Tensor, y: Tensor | None = None, reduction: str | None = None, zero_diagonal: bool | None = None
) -> Tensor:
    r"""Manhattan distance of each row of ``x`` to each of ``y``, :math:`\sum_i |x_i - y_i|`, summed in float64.

    Args:
        x: ``[N, d]`` of any real type.
        y: ``[M, d]``; None compares the rows of ``x`` with each other.
        reduction: over the rows of ``y``: ``mean``, ``sum``, or ``none`` or None for the value of each pair.
        zero_diagonal: whether the distance of row i and row i is 0, which it is anyway if ``y`` is not given.

    Returns:
        ``[N, M]``, or ``[N]`` with a reduction, in the dtype of ``x``.

    Raises:
        TypeError: an input that is no tensor of a real type.
        ValueError: shapes that do not fit, or another ``reduction``.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.pairwise import pairwise_manhattan_distance
        >>> x, y = torch.tensor([[2.0, 3.0], [3.0, 5.0]]), torch.tensor([[1.0, 0.0], [2.0, 1.0]])
        >>> pairwise_manhattan_distance(x, y)
        tensor([[4., 2.],
                [7., 5.]])
    """
    x, y, zero_diagonal = _checked("pairwise_manhattan_distance", x, y, reduction, zero_diagonal)
    return _finished(torch.cdist(x.double(), y.double(), p=1.0).to(x.dtype, copy=True), reduction, zero_diagonal)


def pairwise_minkowski_distance(
    x: Tensor,
    y: Tensor | None = None,
    exponent: float = 2,
    reduction: str | None = None,
    zero_diagonal: bool | None = None,
) -> Tensor:
    r"""Minkowski distance of each row of ``x`` to each of ``y``, :math:`(\sum_i |x_i - y_i|^p)^{1/p}`, in float64.

    Args:
        x: ``[N, d]`` of any real type.
        y: ``[M, d]``; None compares the rows of ``x`` with each other.
        exponent: p, at least 1; infinity gives the greatest difference.
        reduction: over the rows of ``y``: ``mean``, ``sum``, or ``none`` or None for the value of each pair.
        zero_diagonal: whether the distance of row i and row i is 0, which it is anyway if ``y`` is not given.

    Returns:
        ``[N, M]``, or ``[N]`` with a reduction, in the dtype of ``x``; of integers, in torch's default dtype.

    Raises:
        TypeError: an input that is no tensor of a real type.
        ValueError: shapes that do not fit, or another ``reduction``.
        TorchMetricsUserError: another ``exponent``.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.pairwise import pairwise_minkowski_distance
        >>> x, y = torch.tensor([[2.0, 3.0], [3.0, 5.0]]), torch.tensor([[1.0, 0.0], [2.0, 1.0]])
        >>> pairwise_minkowski_distance(x, y, exponent=4)
        tensor([[3.0092, 2.0000],
                [5.0317, 4.0039]])
    """
    x, y, zero_diagonal = _checked("pairwise_minkowski_distance", x, y, reduction, zero_diagonal)
    if not (isinstance(exponent, (int, float)) and exponent >= 1):
        raise TorchMetricsUserError(
            "pairwise_minkowski_distance: expected argument `exponent` to be a number of at least 1, but got"
            f" {exponent}"
        )
    mode = "donot_use_mm_for_euclid_dist"
    distances = torch.cdist(x.double(), y.double(), p=float(exponent), compute_mode=mode)
    return _finished(distances.to(dtypes.of_values([x]), copy=True), reduction, zero_diagonal)


def _checked(
    name: str, x: Tensor, y: Tensor | None, reduction: str | None, zero_diagonal: bool | None
) -> tuple[Tensor, Tensor, bool]:
    """The two matrices, and whether the diagonal is 0."""
    for which, value in (("x", x), ("y", x if y is None else y)):
        require_dense_tensor(name, which, value)
        if value.is_complex():
            raise TypeError(f"{name}: expected `{which}` of a real type, but got {value.dtype}.")
    if x.dim() != 2:
        raise ValueError(f"{name}: Expected argument `x` to be a 2D tensor of shape `[N, d]` but got {tuple(x.shape)}")
    if y is not None and (y.dim() != 2 or y.shape[1] != x.shape[1]):
        raise ValueError(
            f"{name}: Expected argument `y` to be a 2D tensor of shape `[M, d]` where `d` should be same as the last"
            f" dimension of `x`, {x.shape[1]}, but got {tuple(y.shape)}"
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"{name}: Expected reduction to be one of `['mean', 'sum', None]` but got {reduction}")
    return x, x if y is None else y, (y is None) if zero_diagonal is None else zero_diagonal


def _finished(values: Tensor, reduction: str | None, zero_diagonal: bool) -> Tensor:
    """The values [N, M], which are changed, reduced over M."""
    if zero_diagonal:
        values.fill_diagonal_(0)
    if reduction == "mean":
        return values.mean(-1)
    return values.sum(-1) if reduction == "sum" else values


def _unit(rows: Tensor) -> Tensor:
    """Rows [N, d] of length 1, in their dtype and at least in float32."""
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True, dtype=torch.float64)
    return rows / lengths.to(rows.dtype)


def _products(x: Tensor, y: Tensor, dtype: torch.dtype) -> Tensor:
    """Inner products of rows [N, d] and [M, d]; those of 16-bit types are summed in float32."""
    common = torch.promote_types(x.dtype, y.dtype)
    if common in (torch.float16, torch.bfloat16):
        common = torch.float32
    return (x.to(common) @ y.to(common).T).to(dtype)
