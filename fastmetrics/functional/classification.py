# SPDX-License-Identifier: Apache-2.0
"""Classification metrics as functions."""

from fastmetrics import classification
from fastmetrics.classification.task import CONFUSION, COUNTS, COUNTS_ZERO_DIVISION
from fastmetrics.functional.forms import functional, task_functional

_BINARY = ("threshold", "multidim_average", "ignore_index", "validate_args")
_MULTICLASS = ("num_classes", "average", "top_k", "multidim_average", "ignore_index", "validate_args")
_MULTILABEL = ("num_labels", "threshold", "average", "multidim_average", "ignore_index", "validate_args")
_ZERO = ("zero_division",)

binary_accuracy = functional(classification.BinaryAccuracy, "binary_accuracy", *_BINARY)
multiclass_accuracy = functional(classification.MulticlassAccuracy, "multiclass_accuracy", *_MULTICLASS)
multilabel_accuracy = functional(classification.MultilabelAccuracy, "multilabel_accuracy", *_MULTILABEL)
accuracy = task_functional(
    "accuracy", COUNTS, binary=binary_accuracy, multiclass=multiclass_accuracy, multilabel=multilabel_accuracy
)

binary_precision = functional(classification.BinaryPrecision, "binary_precision", *_BINARY, *_ZERO)
multiclass_precision = functional(classification.MulticlassPrecision, "multiclass_precision", *_MULTICLASS, *_ZERO)
multilabel_precision = functional(classification.MultilabelPrecision, "multilabel_precision", *_MULTILABEL, *_ZERO)
precision = task_functional(
    "precision",
    COUNTS_ZERO_DIVISION,
    binary=binary_precision,
    multiclass=multiclass_precision,
    multilabel=multilabel_precision,
)

binary_recall = functional(classification.BinaryRecall, "binary_recall", *_BINARY, *_ZERO)
multiclass_recall = functional(classification.MulticlassRecall, "multiclass_recall", *_MULTICLASS, *_ZERO)
multilabel_recall = functional(classification.MultilabelRecall, "multilabel_recall", *_MULTILABEL, *_ZERO)
recall = task_functional(
    "recall", COUNTS_ZERO_DIVISION, binary=binary_recall, multiclass=multiclass_recall, multilabel=multilabel_recall
)

binary_f1_score = functional(classification.BinaryF1Score, "binary_f1_score", *_BINARY, *_ZERO)
multiclass_f1_score = functional(classification.MulticlassF1Score, "multiclass_f1_score", *_MULTICLASS, *_ZERO)
multilabel_f1_score = functional(classification.MultilabelF1Score, "multilabel_f1_score", *_MULTILABEL, *_ZERO)
f1_score = task_functional(
    "f1_score",
    COUNTS_ZERO_DIVISION,
    binary=binary_f1_score,
    multiclass=multiclass_f1_score,
    multilabel=multilabel_f1_score,
)

binary_stat_scores = functional(classification.BinaryStatScores, "binary_stat_scores", *_BINARY)
multiclass_stat_scores = functional(classification.MulticlassStatScores, "multiclass_stat_scores", *_MULTICLASS)
multilabel_stat_scores = functional(classification.MultilabelStatScores, "multilabel_stat_scores", *_MULTILABEL)
stat_scores = task_functional(
    "stat_scores",
    COUNTS,
    binary=binary_stat_scores,
    multiclass=multiclass_stat_scores,
    multilabel=multilabel_stat_scores,
)

_SHAPE = ("normalize", "ignore_index", "validate_args")
binary_confusion_matrix = functional(
    classification.BinaryConfusionMatrix, "binary_confusion_matrix", "threshold", *_SHAPE
)
multiclass_confusion_matrix = functional(
    classification.MulticlassConfusionMatrix, "multiclass_confusion_matrix", "num_classes", *_SHAPE
)
multilabel_confusion_matrix = functional(
    classification.MultilabelConfusionMatrix, "multilabel_confusion_matrix", "num_labels", "threshold", *_SHAPE
)
confusion_matrix = task_functional(
    "confusion_matrix",
    CONFUSION,
    binary=binary_confusion_matrix,
    multiclass=multiclass_confusion_matrix,
    multilabel=multilabel_confusion_matrix,
)

_ROWS = ("multidim_average", "ignore_index", "validate_args")
multiclass_exact_match = functional(
    classification.MulticlassExactMatch, "multiclass_exact_match", "num_classes", *_ROWS
)
multilabel_exact_match = functional(
    classification.MultilabelExactMatch, "multilabel_exact_match", "num_labels", "threshold", *_ROWS
)
exact_match = task_functional(
    "exact_match",
    ("num_classes", "num_labels", "threshold", *_ROWS),
    multiclass=multiclass_exact_match,
    multilabel=multilabel_exact_match,
)

_HINGE = ("squared", "multiclass_mode", "ignore_index", "validate_args")
binary_hinge_loss = functional(
    classification.BinaryHingeLoss, "binary_hinge_loss", "squared", "ignore_index", "validate_args"
)
multiclass_hinge_loss = functional(classification.MulticlassHingeLoss, "multiclass_hinge_loss", "num_classes", *_HINGE)
hinge_loss = task_functional(
    "hinge_loss", ("num_classes", *_HINGE), binary=binary_hinge_loss, multiclass=multiclass_hinge_loss
)

_RANKING = ("num_labels", "ignore_index", "validate_args")
multilabel_coverage_error = functional(classification.MultilabelCoverageError, "multilabel_coverage_error", *_RANKING)
multilabel_ranking_average_precision = functional(
    classification.MultilabelRankingAveragePrecision, "multilabel_ranking_average_precision", *_RANKING
)
multilabel_ranking_loss = functional(classification.MultilabelRankingLoss, "multilabel_ranking_loss", *_RANKING)

__all__ = [
    "accuracy",
    "binary_accuracy",
    "binary_confusion_matrix",
    "binary_f1_score",
    "binary_hinge_loss",
    "binary_precision",
    "binary_recall",
    "binary_stat_scores",
    "confusion_matrix",
    "exact_match",
    "f1_score",
    "hinge_loss",
    "multiclass_accuracy",
    "multiclass_confusion_matrix",
    "multiclass_exact_match",
    "multiclass_f1_score",
    "multiclass_hinge_loss",
    "multiclass_precision",
    "multiclass_recall",
    "multiclass_stat_scores",
    "multilabel_accuracy",
    "multilabel_confusion_matrix",
    "multilabel_coverage_error",
    "multilabel_exact_match",
    "multilabel_f1_score",
    "multilabel_precision",
    "multilabel_ranking_average_precision",
    "multilabel_ranking_loss",
    "multilabel_recall",
    "multilabel_stat_scores",
    "precision",
    "recall",
    "stat_scores",
]
