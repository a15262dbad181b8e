# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

from torch import Tensor

__all__ = [
    "concordance_corrcoef",
    "continuous_ranked_probability_score",
    "cosine_similarity",
    "critical_success_index",
    "explained_variance",
    "jensen_shannon_divergence",
    "kendall_rank_corrcoef",
    "kl_divergence",
    "log_cosh_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_log_error",
    "minkowski_distance",
    "normalized_root_mean_squared_error",
    "pearson_corrcoef",
    "r2_score",
    "relative_squared_error",
    "spearman_corrcoef",
    "symmetric_mean_absolute_percentage_error",
    "tweedie_deviance_score",
    "weighted_mean_absolute_percentage_error",
]

def __getattr__(name: str) -> Any: ...
def concordance_corrcoef(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Lin's concordance correlation, :math:`\frac{2 s_{xy}}{s_x^2 + s_y^2 + (\bar x - \bar y)^2}`."""

def continuous_ranked_probability_score(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean of :math:`\int (F(x) - 1_{x \geq y})^2 dx` over the rows, F the distribution of an ensemble of predictions."""

def cosine_similarity(
    preds: Tensor,
    target: Tensor,
    reduction: str | None = "sum",
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Cosine of the angle between each pair of rows, :math:`x \cdot y / (|x| |y|)`."""

def critical_success_index(
    preds: Tensor,
    target: Tensor,
    threshold: float,
    keep_sequence_dim: int | None = None,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Critical success index: hits over hits, misses and false alarms."""

def explained_variance(
    preds: Tensor,
    target: Tensor,
    multioutput: str = "uniform_average",
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Explained variance, :math:`1 - \frac{\mathrm{Var}(y - x)}{\mathrm{Var}(y)}`."""

def jensen_shannon_divergence(
    p: Tensor,
    q: Tensor,
    log_prob: bool = False,
    reduction: str | None = "mean",
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Jensen-Shannon divergence of each pair of rows: the mean of the divergences of both from their middle."""

def kendall_rank_corrcoef(
    preds: Tensor,
    target: Tensor,
    variant: str = "b",
    t_test: bool = False,
    alternative: str | None = "two-sided",
    *,
    valid: Tensor | None = None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Kendall's rank correlation: how many more pairs of samples are ordered alike in both inputs than otherwise."""

def kl_divergence(
    p: Tensor,
    q: Tensor,
    log_prob: bool = False,
    reduction: str | None = "mean",
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Kullback-Leibler divergence of each pair of rows, :math:`\sum_i p_i \log (p_i / q_i)`."""

def log_cosh_error(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean of :math:`\log\cosh(x_i - y_i)`."""

def mean_absolute_error(
    preds: Tensor,
    target: Tensor,
    num_outputs: int = 1,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean absolute error, :math:`\frac{1}{N}\sum_i |x_i - y_i|`."""

def mean_absolute_percentage_error(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean absolute percentage error, :math:`\frac{1}{N}\sum_i \frac{|x_i - y_i|}{\max(|y_i|, 1.17 \cdot 10^{-6})}`."""

def mean_squared_error(
    preds: Tensor,
    target: Tensor,
    squared: bool = True,
    num_outputs: int = 1,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean squared error, :math:`\frac{1}{N}\sum_i (x_i - y_i)^2`, or its root."""

def mean_squared_log_error(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean squared logarithmic error, :math:`\frac{1}{N}\sum_i (\log(1 + x_i) - \log(1 + y_i))^2`."""

def minkowski_distance(
    preds: Tensor,
    targets: Tensor,
    p: float,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Minkowski distance, :math:`(\sum_i |x_i - y_i|^p)^{1/p}`."""

def normalized_root_mean_squared_error(
    preds: Tensor,
    target: Tensor,
    normalization: str = "mean",
    num_outputs: int = 1,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Root of the mean squared error over a scale of the target."""

def pearson_corrcoef(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Pearson's correlation, :math:`\frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sqrt{\sum_i (x_i - \bar x)^2 \sum_i (y_i - \bar y)^2}}`."""

def r2_score(
    preds: Tensor,
    target: Tensor,
    adjusted: int = 0,
    multioutput: str = "uniform_average",
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Coefficient of determination, :math:`R^2 = 1 - \frac{\sum_i (x_i - y_i)^2}{\sum_i (y_i - \bar y)^2}`."""

def relative_squared_error(
    preds: Tensor,
    target: Tensor,
    squared: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Squared errors over those of a prediction of the mean, :math:`\frac{\sum_i (x_i - y_i)^2}{\sum_i (y_i - \bar y)^2}`."""

def spearman_corrcoef(preds: Tensor, target: Tensor, *, valid: Tensor | None = None) -> Tensor:
    """Spearman's rank correlation, Pearson's correlation of the ranks; tied values share the mean of their ranks."""

def symmetric_mean_absolute_percentage_error(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean of :math:`\frac{2 |x_i - y_i|}{\max(|x_i| + |y_i|, 1.17 \cdot 10^{-6})}`, which is in [0, 2]."""

def tweedie_deviance_score(
    preds: Tensor,
    targets: Tensor,
    power: float = 0.0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Mean deviance of a Tweedie distribution: 0 for normal, 1 for Poisson, 2 for gamma, 3 for inverse Gaussian."""

def weighted_mean_absolute_percentage_error(
    preds: Tensor,
    target: Tensor,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""The absolute errors over the absolute targets, :math:`\frac{\sum_i |x_i - y_i|}{\sum_i |y_i|}`."""
