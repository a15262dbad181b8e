# SPDX-License-Identifier: Apache-2.0
"""Classification metrics. ``__init__.pyi`` lists them."""

from fastmetrics.classification import (
    accuracy,
    auroc,
    average_precision,
    best_threshold,
    calibration,
    cohen_kappa,
    confusion_matrix,
    eer,
    exact_match,
    f_beta,
    gains,
    group_fairness,
    hamming,
    hinge,
    jaccard,
    logauc,
    matthews_corrcoef,
    negative_predictive_value,
    operating_points,
    precision_recall,
    precision_recall_curve,
    proper_scores,
    ranking,
    rates,
    reliability,
    roc,
    separation,
    specificity,
    stat_scores,
    top_k,
)
from fastmetrics.docstrings import export

export(__name__)
