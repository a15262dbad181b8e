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

__all__ = [
    "accuracy",
    "binary_accuracy",
    "binary_confusion_matrix",
    "binary_f1_score",
    "binary_precision",
    "binary_recall",
    "binary_stat_scores",
    "confusion_matrix",
    "f1_score",
    "multiclass_accuracy",
    "multiclass_confusion_matrix",
    "multiclass_f1_score",
    "multiclass_precision",
    "multiclass_recall",
    "multiclass_stat_scores",
    "multilabel_accuracy",
    "multilabel_confusion_matrix",
    "multilabel_f1_score",
    "multilabel_precision",
    "multilabel_recall",
    "multilabel_stat_scores",
    "precision",
    "recall",
    "stat_scores",
]
