# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor

__all__ = [
    "accuracy",
    "adaptive_calibration_error",
    "auroc",
    "average_precision",
    "balanced_error_rate",
    "best_threshold",
    "binary_accuracy",
    "binary_adaptive_calibration_error",
    "binary_auroc",
    "binary_average_precision",
    "binary_balanced_error_rate",
    "binary_best_threshold",
    "binary_brier_score",
    "binary_calibration_error",
    "binary_cohen_kappa",
    "binary_confusion_matrix",
    "binary_cumulative_gains",
    "binary_eer",
    "binary_f1_score",
    "binary_fairness",
    "binary_fbeta_score",
    "binary_fowlkes_mallows_score",
    "binary_geometric_mean_score",
    "binary_gini_coefficient",
    "binary_groups_stat_rates",
    "binary_hamming_distance",
    "binary_hinge_loss",
    "binary_informedness",
    "binary_jaccard_index",
    "binary_kolmogorov_smirnov",
    "binary_lift",
    "binary_log_loss",
    "binary_logauc",
    "binary_markedness",
    "binary_matthews_corrcoef",
    "binary_negative_predictive_value",
    "binary_precision",
    "binary_precision_at_fixed_recall",
    "binary_precision_recall_curve",
    "binary_recall",
    "binary_recall_at_fixed_precision",
    "binary_reliability_diagram",
    "binary_roc",
    "binary_sensitivity_at_specificity",
    "binary_specificity",
    "binary_specificity_at_sensitivity",
    "binary_stat_scores",
    "brier_score",
    "calibration_error",
    "classwise_calibration_error",
    "cohen_kappa",
    "confusion_matrix",
    "cumulative_gains",
    "demographic_parity",
    "eer",
    "equal_opportunity",
    "exact_match",
    "f1_score",
    "fbeta_score",
    "fowlkes_mallows_score",
    "geometric_mean_score",
    "gini_coefficient",
    "hamming_distance",
    "hinge_loss",
    "informedness",
    "jaccard_index",
    "kolmogorov_smirnov",
    "lift",
    "log_loss",
    "logauc",
    "markedness",
    "matthews_corrcoef",
    "mean_reciprocal_rank",
    "multiclass_accuracy",
    "multiclass_adaptive_calibration_error",
    "multiclass_auroc",
    "multiclass_average_precision",
    "multiclass_balanced_error_rate",
    "multiclass_best_threshold",
    "multiclass_brier_score",
    "multiclass_calibration_error",
    "multiclass_cohen_kappa",
    "multiclass_confusion_matrix",
    "multiclass_cumulative_gains",
    "multiclass_eer",
    "multiclass_exact_match",
    "multiclass_f1_score",
    "multiclass_fbeta_score",
    "multiclass_fowlkes_mallows_score",
    "multiclass_geometric_mean_score",
    "multiclass_gini_coefficient",
    "multiclass_hamming_distance",
    "multiclass_hinge_loss",
    "multiclass_informedness",
    "multiclass_jaccard_index",
    "multiclass_kolmogorov_smirnov",
    "multiclass_lift",
    "multiclass_log_loss",
    "multiclass_logauc",
    "multiclass_markedness",
    "multiclass_matthews_corrcoef",
    "multiclass_negative_predictive_value",
    "multiclass_precision",
    "multiclass_precision_at_fixed_recall",
    "multiclass_precision_recall_curve",
    "multiclass_recall",
    "multiclass_recall_at_fixed_precision",
    "multiclass_reliability_diagram",
    "multiclass_roc",
    "multiclass_sensitivity_at_specificity",
    "multiclass_specificity",
    "multiclass_specificity_at_sensitivity",
    "multiclass_stat_scores",
    "multilabel_accuracy",
    "multilabel_auroc",
    "multilabel_average_precision",
    "multilabel_balanced_error_rate",
    "multilabel_best_threshold",
    "multilabel_brier_score",
    "multilabel_calibration_error",
    "multilabel_confusion_matrix",
    "multilabel_coverage_error",
    "multilabel_cumulative_gains",
    "multilabel_eer",
    "multilabel_exact_match",
    "multilabel_f1_score",
    "multilabel_fbeta_score",
    "multilabel_fowlkes_mallows_score",
    "multilabel_geometric_mean_score",
    "multilabel_gini_coefficient",
    "multilabel_hamming_distance",
    "multilabel_informedness",
    "multilabel_jaccard_index",
    "multilabel_kolmogorov_smirnov",
    "multilabel_lift",
    "multilabel_log_loss",
    "multilabel_logauc",
    "multilabel_markedness",
    "multilabel_matthews_corrcoef",
    "multilabel_negative_predictive_value",
    "multilabel_precision",
    "multilabel_precision_at_fixed_recall",
    "multilabel_precision_recall_curve",
    "multilabel_ranking_average_precision",
    "multilabel_ranking_loss",
    "multilabel_recall",
    "multilabel_recall_at_fixed_precision",
    "multilabel_roc",
    "multilabel_sensitivity_at_specificity",
    "multilabel_specificity",
    "multilabel_specificity_at_sensitivity",
    "multilabel_stat_scores",
    "negative_predictive_value",
    "precision",
    "precision_at_fixed_recall",
    "precision_recall_curve",
    "recall",
    "recall_at_fixed_precision",
    "reliability_diagram",
    "roc",
    "sensitivity_at_specificity",
    "specificity",
    "specificity_at_sensitivity",
    "stat_scores",
    "top_k_accuracy",
]

def __getattr__(name: str) -> Any: ...
def accuracy(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Accuracy: the share of the decisions that are right."""

def adaptive_calibration_error(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass"],
    n_bins: int = 15,
    norm: str = "l1",
    num_classes: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Calibration error over bins of equal mass: of as many samples each as can be."""

def auroc(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    max_fpr: float | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """The area under the curve of true over false positive rates: how often a positive has a higher score."""

def average_precision(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Average precision: the mean, over the positives, of the precision at their scores."""

def balanced_error_rate(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Balanced error rate: the mean of the miss rate and the false alarm rate."""

def best_threshold(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    criterion: str = "f_beta",
    beta: float = 1.0,
    costs: tuple[float, float] = (1.0, 1.0),
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The threshold whose decisions are best, and how good they are."""

def binary_accuracy(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Accuracy of binary decisions."""

def binary_adaptive_calibration_error(
    preds: Tensor,
    target: Tensor,
    n_bins: int = 15,
    norm: str = "l1",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of probabilities of the class 1 over bins of equal mass."""

def binary_auroc(
    preds: Tensor,
    target: Tensor,
    max_fpr: float | None = None,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The area under the ROC curve of binary scores."""

def binary_average_precision(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Average precision of binary scores."""

def binary_balanced_error_rate(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Balanced error rate of binary decisions: the mean of the miss rate and the false alarm rate."""

def binary_best_threshold(
    preds: Tensor,
    target: Tensor,
    criterion: str = "f_beta",
    beta: float = 1.0,
    costs: tuple[float, float] = (1.0, 1.0),
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The best threshold of binary scores."""

def binary_brier_score(
    preds: Tensor,
    target: Tensor,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Brier score of probabilities of the class 1."""

def binary_calibration_error(
    preds: Tensor,
    target: Tensor,
    n_bins: int = 15,
    norm: str = "l1",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of probabilities of the class 1, whose share of hits is that of targets that are 1."""

def binary_cohen_kappa(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    weights: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    sample_weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Cohen's kappa of binary decisions."""

def binary_confusion_matrix(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    normalize: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Confusion matrix of binary decisions."""

def binary_cumulative_gains(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The cumulative gains curve of binary scores."""

def binary_eer(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The equal error rate of binary scores."""

def binary_f1_score(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """F1 score of binary decisions."""

def binary_fairness(
    preds: Tensor,
    target: Tensor | None,
    groups: Tensor,
    task: str = "all",
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> dict[str, Tensor]:
    """How far the decisions about groups differ: the lowest rate of a group over the highest."""

def binary_fbeta_score(
    preds: Tensor,
    target: Tensor,
    beta: float,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """F-score of binary decisions."""

def binary_fowlkes_mallows_score(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Fowlkes-Mallows score of binary decisions: the geometric mean of precision and recall."""

def binary_geometric_mean_score(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Geometric mean of recall and specificity of binary decisions."""

def binary_gini_coefficient(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The Gini coefficient of binary scores."""

def binary_groups_stat_rates(
    preds: Tensor,
    target: Tensor,
    groups: Tensor,
    num_groups: int,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> dict[str, Tensor]:
    """The rates of tp, fp, tn and fn in each group."""

def binary_hamming_distance(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Hamming distance of binary decisions: the share that is wrong."""

def binary_hinge_loss(
    preds: Tensor,
    target: Tensor,
    squared: bool = False,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean hinge loss, :math:`\max(0, 1 - y \hat{y})` with :math:`y` 1 or -1, of binary scores."""

def binary_informedness(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Informedness, Youden's J, of binary decisions: recall + specificity - 1."""

def binary_jaccard_index(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Jaccard index of binary decisions."""

def binary_kolmogorov_smirnov(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The Kolmogorov-Smirnov statistic of binary scores."""

def binary_lift(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The lift curve of binary scores."""

def binary_log_loss(
    preds: Tensor,
    target: Tensor,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Log loss of probabilities of the class 1."""

def binary_logauc(
    preds: Tensor,
    target: Tensor,
    fpr_range: tuple[float, float] = (0.001, 0.1),
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The area of binary scores."""

def binary_markedness(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Markedness of binary decisions: precision + negative predictive value - 1."""

def binary_matthews_corrcoef(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    undefined: float | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Matthews' coefficient of binary decisions."""

def binary_negative_predictive_value(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Negative predictive value of binary decisions."""

def binary_precision(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Precision of binary decisions."""

def binary_precision_at_fixed_recall(
    preds: Tensor,
    target: Tensor,
    min_recall: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest precision at a given recall, of binary scores."""

def binary_precision_recall_curve(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The precision-recall curve of binary scores."""

def binary_recall(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Recall of binary decisions."""

def binary_recall_at_fixed_precision(
    preds: Tensor,
    target: Tensor,
    min_precision: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest recall at a given precision, of binary scores."""

def binary_reliability_diagram(
    preds: Tensor,
    target: Tensor,
    n_bins: int = 15,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """What a reliability diagram shows of probabilities of the class 1."""

def binary_roc(
    preds: Tensor,
    target: Tensor,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The ROC curve of binary scores."""

def binary_sensitivity_at_specificity(
    preds: Tensor,
    target: Tensor,
    min_specificity: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest sensitivity at a given specificity, of binary scores."""

def binary_specificity(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Specificity of binary decisions."""

def binary_specificity_at_sensitivity(
    preds: Tensor,
    target: Tensor,
    min_sensitivity: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest specificity at a given sensitivity, of binary scores."""

def binary_stat_scores(
    preds: Tensor,
    target: Tensor,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """tp, fp, tn, fn and support of binary decisions."""

def brier_score(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Brier score: the mean squared difference of probabilities and what is so; NaN without samples."""

def calibration_error(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    n_bins: int = 15,
    norm: str = "l1",
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Calibration error: how far probabilities are from how often what they are of is so."""

def classwise_calibration_error(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    n_bins: int = 15,
    norm: str = "l1",
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of the probability of each class, a hit if the class is the target, averaged over classes."""

def cohen_kappa(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    weights: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Cohen's kappa: the agreement of predictions and targets beyond chance."""

def confusion_matrix(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    normalize: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Confusion matrix: how often each class was predicted for each target; row = target, column = prediction."""

def cumulative_gains(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The cumulative gains curve: the share of all positives among the samples with the greatest scores."""

def demographic_parity(
    preds: Tensor,
    groups: Tensor,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> dict[str, Tensor]:
    """How far the decisions about groups differ: the lowest rate of a group over the highest."""

def eer(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """The equal error rate: the mean of the false positive and the false negative rate where they differ least."""

def equal_opportunity(
    preds: Tensor,
    target: Tensor | None,
    groups: Tensor,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
) -> dict[str, Tensor]:
    """How far the decisions about groups differ: the lowest rate of a group over the highest."""

def exact_match(
    preds: Tensor,
    target: Tensor,
    task: Literal["multiclass", "multilabel"],
    num_classes: int | None = None,
    num_labels: int | None = None,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Exact match, also called subset accuracy: the share of the samples that are right in every place."""

def f1_score(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """F1 score: the harmonic mean of precision and recall."""

def fbeta_score(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    beta: float = 1.0,
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """F-score: the weighted harmonic mean of precision and recall."""

def fowlkes_mallows_score(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Fowlkes-Mallows score: the geometric mean of precision and recall."""

def geometric_mean_score(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Geometric mean of recall and specificity."""

def gini_coefficient(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """The Gini coefficient of scores, also Somers' D: how much more often a positive has the higher score."""

def hamming_distance(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Hamming distance: the share of the decisions that are wrong."""

def hinge_loss(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass"],
    num_classes: int | None = None,
    squared: bool = False,
    multiclass_mode: str = "crammer-singer",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Hinge loss of scores, a mean over samples; NaN without any."""

def informedness(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Informedness, Youden's J: recall + specificity - 1; that of a guess is 0."""

def jaccard_index(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Jaccard index: the intersection of predictions and targets over their union."""

def kolmogorov_smirnov(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """The Kolmogorov-Smirnov statistic: the greatest distance of the distributions of positive and negative scores."""

def lift(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The lift curve: how much more frequent positives are among the samples with the greatest scores than among all."""

def log_loss(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Log loss: the mean negative logarithm of the probability of what is so, in nats; NaN without samples."""

def logauc(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    fpr_range: tuple[float, float] = (0.001, 0.1),
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """The area under the ROC curve over the logarithm of the false positive rate, in a range of it."""

def markedness(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Markedness: precision + negative predictive value - 1; that of a guess is 0."""

def matthews_corrcoef(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Matthews' coefficient: the correlation of predictions and targets."""

def mean_reciprocal_rank(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    average: str | None = "micro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""The mean of 1 / rank of the target among the scores, :math:`\frac1N \sum_i \frac1{r_i}`; 1 is the best rank."""

def multiclass_accuracy(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Accuracy of each class, averaged: the share of its samples that got their label."""

def multiclass_adaptive_calibration_error(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    n_bins: int = 15,
    norm: str = "l1",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of the greatest probability of each sample over bins of equal mass."""

def multiclass_auroc(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The area under the ROC curve of each class against all others, averaged."""

def multiclass_average_precision(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Average precision of each class against all others, averaged."""

def multiclass_balanced_error_rate(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Balanced error rate of each class, averaged: the mean of the miss rate and the false alarm rate."""

def multiclass_best_threshold(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    criterion: str = "f_beta",
    beta: float = 1.0,
    costs: tuple[float, float] = (1.0, 1.0),
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The best threshold of each class against all others."""

def multiclass_brier_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Brier score of class probabilities, summed over classes."""

def multiclass_calibration_error(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    n_bins: int = 15,
    norm: str = "l1",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of the greatest probability of each sample, a hit if it is that of the target."""

def multiclass_cohen_kappa(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    weights: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    sample_weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Cohen's kappa of several classes. Without weights it needs memory in O(C); with them, the confusion matrix."""

def multiclass_confusion_matrix(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    normalize: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Confusion matrix of several classes."""

def multiclass_cumulative_gains(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    thresholds: int | list[float] | Tensor | None = None,
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The cumulative gains curve of each class against all others."""

def multiclass_eer(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    thresholds: int | list[float] | Tensor | None = None,
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The equal error rate of each class against all others."""

def multiclass_exact_match(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The share of the samples whose labels are right in every place. Weights are one a sample, ``(N,)``."""

def multiclass_f1_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """F1 score of each class, averaged."""

def multiclass_fbeta_score(
    preds: Tensor,
    target: Tensor,
    beta: float,
    num_classes: int,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """F-score of each class, averaged."""

def multiclass_fowlkes_mallows_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Fowlkes-Mallows score of each class, averaged: the geometric mean of precision and recall."""

def multiclass_geometric_mean_score(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Geometric mean of recall and specificity of each class, averaged."""

def multiclass_gini_coefficient(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The Gini coefficient of each class against all others, averaged."""

def multiclass_hamming_distance(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Hamming distance of each class, averaged: the share of its samples with a wrong label."""

def multiclass_hinge_loss(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    squared: bool = False,
    multiclass_mode: str = "crammer-singer",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    r"""Mean hinge loss, :math:`\max(0, 1 - \hat{y}_y + \max_{i \ne y} \hat{y}_i)`, of class scores; or one a class."""

def multiclass_informedness(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Informedness, Youden's J, of each class, averaged: recall + specificity - 1."""

def multiclass_jaccard_index(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Jaccard index of each class, averaged."""

def multiclass_kolmogorov_smirnov(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The Kolmogorov-Smirnov statistic of each class against all others, averaged."""

def multiclass_lift(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    thresholds: int | list[float] | Tensor | None = None,
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The lift curve of each class against all others."""

def multiclass_log_loss(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Log loss of class probabilities."""

def multiclass_logauc(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    fpr_range: tuple[float, float] = (0.001, 0.1),
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The area of each class against all others, averaged."""

def multiclass_markedness(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Markedness of each class, averaged: precision + negative predictive value - 1."""

def multiclass_matthews_corrcoef(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    undefined: float | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Matthews' coefficient of any number of classes, in memory that is linear in their number."""

def multiclass_negative_predictive_value(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Negative predictive value of each class, averaged."""

def multiclass_precision(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Precision of each class, averaged."""

def multiclass_precision_at_fixed_recall(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    min_recall: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest precision at a given recall, of each class against all others."""

def multiclass_precision_recall_curve(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    thresholds: int | list[float] | Tensor | None = None,
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The precision-recall curve of each class against all others."""

def multiclass_recall(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Recall of each class, averaged."""

def multiclass_recall_at_fixed_precision(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    min_precision: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest recall at a given precision, of each class against all others."""

def multiclass_reliability_diagram(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    n_bins: int = 15,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """What a reliability diagram shows of the greatest probability of each sample."""

def multiclass_roc(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    thresholds: int | list[float] | Tensor | None = None,
    average: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The ROC curve of each class against all others."""

def multiclass_sensitivity_at_specificity(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    min_specificity: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest sensitivity at a given specificity, of each class against all others."""

def multiclass_specificity(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Specificity of each class, averaged."""

def multiclass_specificity_at_sensitivity(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    min_sensitivity: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest specificity at a given sensitivity, of each class against all others."""

def multiclass_stat_scores(
    preds: Tensor,
    target: Tensor,
    num_classes: int | None = None,
    average: str | None = "macro",
    top_k: int = 1,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    exclude_ignored: bool = False,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """tp, fp, tn, fn and support of each class, averaged."""

def multilabel_accuracy(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Accuracy of each label, averaged."""

def multilabel_auroc(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The area under the ROC curve of each label, averaged."""

def multilabel_average_precision(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Average precision of each label, averaged."""

def multilabel_balanced_error_rate(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Balanced error rate of each label, averaged: the mean of the miss rate and the false alarm rate."""

def multilabel_best_threshold(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    criterion: str = "f_beta",
    beta: float = 1.0,
    costs: tuple[float, float] = (1.0, 1.0),
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The best threshold of each label."""

def multilabel_brier_score(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Brier score of the probabilities of each label, averaged."""

def multilabel_calibration_error(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    n_bins: int = 15,
    norm: str = "l1",
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Calibration error of the probabilities of each label, averaged."""

def multilabel_confusion_matrix(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    normalize: str | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Confusion matrix of each label."""

def multilabel_coverage_error(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """How far to go down the ranked labels to cover all relevant ones, averaged over samples."""

def multilabel_cumulative_gains(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The cumulative gains curve of each label."""

def multilabel_eer(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The equal error rate of each label."""

def multilabel_exact_match(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The share of the samples of which every label is right. Weights are one a place, ``(N, ...)`` or ``(N,)``."""

def multilabel_f1_score(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """F1 score of each label, averaged."""

def multilabel_fbeta_score(
    preds: Tensor,
    target: Tensor,
    beta: float,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """F-score of each label, averaged."""

def multilabel_fowlkes_mallows_score(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Fowlkes-Mallows score of each label, averaged: the geometric mean of precision and recall."""

def multilabel_geometric_mean_score(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Geometric mean of recall and specificity of each label, averaged."""

def multilabel_gini_coefficient(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The Gini coefficient of each label, averaged."""

def multilabel_hamming_distance(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Hamming distance of each label, averaged: the share of the decisions on it that are wrong."""

def multilabel_informedness(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Informedness, Youden's J, of each label, averaged: recall + specificity - 1."""

def multilabel_jaccard_index(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Jaccard index of each label, averaged. A weighted average over no positive targets is NaN."""

def multilabel_kolmogorov_smirnov(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The Kolmogorov-Smirnov statistic of each label, averaged."""

def multilabel_lift(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The lift curve of each label."""

def multilabel_log_loss(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    average: str | None = "macro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Log loss of the probabilities of each label, averaged."""

def multilabel_logauc(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    fpr_range: tuple[float, float] = (0.001, 0.1),
    average: str | None = "macro",
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The area of each label, averaged."""

def multilabel_markedness(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Markedness of each label, averaged: precision + negative predictive value - 1."""

def multilabel_matthews_corrcoef(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    undefined: float | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Matthews' coefficient of the decisions on all labels together, as torchmetrics has it."""

def multilabel_negative_predictive_value(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Negative predictive value of each label, averaged."""

def multilabel_precision(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Precision of each label, averaged."""

def multilabel_precision_at_fixed_recall(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    min_recall: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest precision at a given recall, of each label."""

def multilabel_precision_recall_curve(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The precision-recall curve of each label."""

def multilabel_ranking_average_precision(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Label ranking average precision: of the labels ranked no lower than a relevant one, the share of relevant ones."""

def multilabel_ranking_loss(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The share of the pairs of a relevant and an irrelevant label that are in the wrong order, averaged over samples."""

def multilabel_recall(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Recall of each label, averaged."""

def multilabel_recall_at_fixed_precision(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    min_precision: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest recall at a given precision, of each label."""

def multilabel_roc(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The ROC curve of each label."""

def multilabel_sensitivity_at_specificity(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    min_specificity: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest sensitivity at a given specificity, of each label."""

def multilabel_specificity(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """Specificity of each label, averaged."""

def multilabel_specificity_at_sensitivity(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    min_sensitivity: float,
    thresholds: int | list[float] | Tensor | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> tuple[Tensor, Tensor]:
    """The greatest specificity at a given sensitivity, of each label."""

def multilabel_stat_scores(
    preds: Tensor,
    target: Tensor,
    num_labels: int,
    threshold: float = 0.5,
    average: str | None = "macro",
    multidim_average: str = "global",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    logits: bool | None = None,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """tp, fp, tn, fn and support of each label, averaged."""

def negative_predictive_value(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Negative predictive value: the share of the negative decisions that are right."""

def precision(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Precision: the share of the positive decisions that are right."""

def precision_at_fixed_recall(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    min_recall: float,
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The greatest precision where recall is at least ``min_recall``, and the threshold of that point."""

def precision_recall_curve(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Precision and recall at each threshold."""

def recall(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    zero_division: float = 0,
    **kwargs: Any,
) -> Tensor:
    """Recall, also called sensitivity: the share of the positive targets that are found."""

def recall_at_fixed_precision(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    min_precision: float,
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The greatest recall where precision is at least ``min_precision``, and the threshold of that point."""

def reliability_diagram(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass"],
    n_bins: int = 15,
    num_classes: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor, Tensor]:
    """What a reliability diagram shows: for each bin of probabilities, how often what they are of is so."""

def roc(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor, Tensor] | tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """False and true positive rates at each threshold."""

def sensitivity_at_specificity(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    min_specificity: float,
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The greatest sensitivity where specificity is at least ``min_specificity``, and the threshold of that point."""

def specificity(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """Specificity: the share of the negative targets that are found."""

def specificity_at_sensitivity(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    min_sensitivity: float,
    thresholds: int | list[float] | Tensor | None = None,
    num_classes: int | None = None,
    num_labels: int | None = None,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> tuple[Tensor, Tensor]:
    """The greatest specificity where sensitivity is at least ``min_sensitivity``, and the threshold of that point."""

def stat_scores(
    preds: Tensor,
    target: Tensor,
    task: Literal["binary", "multiclass", "multilabel"],
    threshold: float = 0.5,
    num_classes: int | None = None,
    num_labels: int | None = None,
    average: str | None = "micro",
    multidim_average: str = "global",
    top_k: int = 1,
    ignore_index: int | None = None,
    validate_args: bool = True,
    **kwargs: Any,
) -> Tensor:
    """tp, fp, tn, fn and support, the number of positive targets."""

def top_k_accuracy(
    preds: Tensor,
    target: Tensor,
    num_classes: int,
    k: int | Sequence[int] = 1,
    average: str | None = "micro",
    ignore_index: int | None = None,
    validate_args: bool = True,
    *,
    weights: Tensor | None = None,
    valid: Tensor | None = None,
    groups: Any = None,
    num_groups: Any = None,
) -> Tensor:
    """The share of targets among the k greatest scores, for every k from one read of the scores."""
