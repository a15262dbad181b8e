# SPDX-License-Identifier: Apache-2.0
"""The family of the confusion matrix: every metric that it, or the counts of right and wrong, decide."""

from bench.specs import metric
from bench.workloads.table import Workload

# name -> options
EVERYONES: dict[str, dict] = {
    "Accuracy": {},
    "Precision": {},
    "Recall": {},
    "StatScores": {},
    "F1Score": {},
    "FBetaScore": {"beta": 2.0},
    "Specificity": {},
    "NegativePredictiveValue": {},
    "HammingDistance": {},
    "JaccardIndex": {},
    "CohenKappa": {"weights": "quadratic"},
    "MatthewsCorrCoef": {},
    "ExactMatch": {},
}
OURS = ("Informedness", "Markedness", "BalancedErrorRate", "GeometricMeanScore", "FowlkesMallowsScore")


def confusion(c):
    return metric("MulticlassConfusionMatrix", num_classes=c)


def family_rows(where, inputs, c, share, **bars):
    """Each of them beside the plain matrix of the same batch; torchmetrics gets a share of that."""
    for name, options in EVERYONES.items():
        yield Workload(
            name=f"{name}, {where}",
            inputs=inputs,
            ours=metric(f"Multiclass{name}", num_classes=c, **options),
            alone=confusion(c),
            bars={**bars, "alone": 1.1},
            shares={"torchmetrics": share},
        )
    for name in OURS:
        yield Workload(
            name=f"{name}, {where}",
            inputs=inputs,
            ours=metric(f"Multiclass{name}", num_classes=c),
            theirs=None,
            alone=confusion(c),
            bars={"alone": 1.1},
            note="torchmetrics has none",
        )
