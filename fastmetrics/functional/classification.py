# SPDX-License-Identifier: Apache-2.0
"""Classification metrics as functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fastmetrics import classification
from fastmetrics.functional.forms import functional, task_forms, task_functional

_UNUSED = ("zero_division",)  # an argument of the classes that does nothing there

binary_accuracy, multiclass_accuracy, multilabel_accuracy, accuracy = task_forms(
    classification.Accuracy, "accuracy", without=_UNUSED
)
binary_balanced_error_rate, multiclass_balanced_error_rate, multilabel_balanced_error_rate, balanced_error_rate = (
    task_forms(classification.BalancedErrorRate, "balanced_error_rate")
)
binary_cohen_kappa, multiclass_cohen_kappa, cohen_kappa = task_forms(classification.CohenKappa, "cohen_kappa")
binary_confusion_matrix, multiclass_confusion_matrix, multilabel_confusion_matrix, confusion_matrix = task_forms(
    classification.ConfusionMatrix, "confusion_matrix"
)
binary_f1_score, multiclass_f1_score, multilabel_f1_score, f1_score = task_forms(classification.F1Score, "f1_score")
binary_fbeta_score, multiclass_fbeta_score, multilabel_fbeta_score, fbeta_score = task_forms(
    classification.FBetaScore, "fbeta_score"
)
(
    binary_fowlkes_mallows_score,
    multiclass_fowlkes_mallows_score,
    multilabel_fowlkes_mallows_score,
    fowlkes_mallows_score,
) = task_forms(classification.FowlkesMallowsScore, "fowlkes_mallows_score")
(
    binary_geometric_mean_score,
    multiclass_geometric_mean_score,
    multilabel_geometric_mean_score,
    geometric_mean_score,
) = task_forms(classification.GeometricMeanScore, "geometric_mean_score")
binary_hamming_distance, multiclass_hamming_distance, multilabel_hamming_distance, hamming_distance = task_forms(
    classification.HammingDistance, "hamming_distance", without=_UNUSED
)
binary_informedness, multiclass_informedness, multilabel_informedness, informedness = task_forms(
    classification.Informedness, "informedness"
)
binary_jaccard_index, multiclass_jaccard_index, multilabel_jaccard_index, jaccard_index = task_forms(
    classification.JaccardIndex, "jaccard_index"
)
binary_markedness, multiclass_markedness, multilabel_markedness, markedness = task_forms(
    classification.Markedness, "markedness"
)
binary_matthews_corrcoef, multiclass_matthews_corrcoef, multilabel_matthews_corrcoef, matthews_corrcoef = task_forms(
    classification.MatthewsCorrCoef, "matthews_corrcoef"
)
(
    binary_negative_predictive_value,
    multiclass_negative_predictive_value,
    multilabel_negative_predictive_value,
    negative_predictive_value,
) = task_forms(classification.NegativePredictiveValue, "negative_predictive_value")
binary_precision, multiclass_precision, multilabel_precision, precision = task_forms(
    classification.Precision, "precision"
)
binary_recall, multiclass_recall, multilabel_recall, recall = task_forms(classification.Recall, "recall")
binary_specificity, multiclass_specificity, multilabel_specificity, specificity = task_forms(
    classification.Specificity, "specificity", without=_UNUSED
)
binary_stat_scores, multiclass_stat_scores, multilabel_stat_scores, stat_scores = task_forms(
    classification.StatScores, "stat_scores", without=_UNUSED
)

multiclass_exact_match, multilabel_exact_match, _ = task_forms(classification.ExactMatch, "exact_match")
exact_match = task_functional(
    "exact_match",
    ("num_classes", "num_labels", "threshold", "multidim_average", "ignore_index", "validate_args"),
    multiclass=multiclass_exact_match,
    multilabel=multilabel_exact_match,
)
binary_hinge_loss, multiclass_hinge_loss, _ = task_forms(classification.HingeLoss, "hinge_loss")
hinge_loss = task_functional(
    "hinge_loss",
    ("num_classes", "squared", "multiclass_mode", "ignore_index", "validate_args"),
    binary=binary_hinge_loss,
    multiclass=multiclass_hinge_loss,
)
multilabel_coverage_error = functional(classification.MultilabelCoverageError, "multilabel_coverage_error")
multilabel_ranking_average_precision = functional(
    classification.MultilabelRankingAveragePrecision, "multilabel_ranking_average_precision"
)
multilabel_ranking_loss = functional(classification.MultilabelRankingLoss, "multilabel_ranking_loss")

mean_reciprocal_rank = functional(classification.MeanReciprocalRank, "mean_reciprocal_rank")
top_k_accuracy = functional(classification.TopKAccuracy, "top_k_accuracy")

binary_groups_stat_rates: Callable[..., dict[str, Tensor]] = functional(  # type: ignore[assignment]
    classification.BinaryGroupStatRates, "binary_groups_stat_rates"
)
_FAIRNESS = ("task", "threshold", "ignore_index", "validate_args", "logits")
_fairness = functional(classification.BinaryFairness, "_fairness", "num_groups", *_FAIRNESS)


def binary_fairness(
    preds: Tensor,
    target: Tensor | None,
    groups: Tensor,
    task: str = "all",
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> dict[str, Tensor]:
    """The value of :class:`~fastmetrics.classification.BinaryFairness` for one batch.

    The groups may have any identifiers; the result numbers them in ascending order. To find them it waits for the
    device.

    Args:
        preds: float scores or 0/1 labels ``[N, ...]``.
        target: 0/1 labels, same shape; None for demographic parity.
        groups: integers, of the shape of ``target`` or of its first dimensions.
        task: ``demographic_parity``, ``equal_opportunity`` or ``all``.
        threshold: in [0, 1]; a probability above it is positive.
        ignore_index: a target that is not counted.
        validate_args: whether wrong arguments and values raise.
        kwargs: ``logits``, ``weights`` and ``valid``, as of the class.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.classification import binary_fairness
        >>> preds, target = torch.tensor([0.11, 0.84, 0.22, 0.73, 0.33, 0.92]), torch.tensor([0, 1, 0, 1, 0, 1])
        >>> binary_fairness(preds, target, torch.tensor([0, 1, 0, 1, 0, 1]))
        {'DP_0_1': tensor(0.), 'EO_0_1': tensor(0.)}
    """
    found, numbered = torch.unique(groups, return_inverse=True)
    options = (task, threshold, ignore_index, validate_args)
    return _fairness(preds, target, numbered, max(1, found.numel()), *options, **kwargs)  # type: ignore[return-value]


def demographic_parity(
    preds: Tensor,
    groups: Tensor,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> dict[str, Tensor]:
    """The lowest share of positive decisions in a group over the highest; see :func:`binary_fairness`.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.classification import demographic_parity
        >>> demographic_parity(torch.tensor([0.11, 0.84, 0.72, 0.73]), torch.tensor([0, 1, 0, 1]))
        {'DP_0_1': tensor(0.5000)}
    """
    return binary_fairness(preds, None, groups, "demographic_parity", threshold, ignore_index, validate_args, **kwargs)


def equal_opportunity(
    preds: Tensor,
    target: Tensor,
    groups: Tensor,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> dict[str, Tensor]:
    """The lowest true positive rate of a group over the highest; see :func:`binary_fairness`.

    Example:
        >>> import torch
        >>> from fastmetrics.functional.classification import equal_opportunity
        >>> preds, target = torch.tensor([0.11, 0.84, 0.72, 0.73]), torch.tensor([1, 1, 1, 0])
        >>> equal_opportunity(preds, target, torch.tensor([0, 1, 0, 1]))
        {'EO_0_1': tensor(0.5000)}
    """
    return binary_fairness(preds, target, groups, "equal_opportunity", threshold, ignore_index, validate_args, **kwargs)
