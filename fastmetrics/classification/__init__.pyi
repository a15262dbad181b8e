# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any, Literal, overload

from torch import Tensor

from fastmetrics.classification.accuracy import BinaryAccuracy, MulticlassAccuracy, MultilabelAccuracy
from fastmetrics.classification.auroc import BinaryAUROC, MulticlassAUROC, MultilabelAUROC
from fastmetrics.classification.average_precision import (
    BinaryAveragePrecision,
    MulticlassAveragePrecision,
    MultilabelAveragePrecision,
)
from fastmetrics.classification.best_threshold import (
    BinaryBestThreshold,
    MulticlassBestThreshold,
    MultilabelBestThreshold,
)
from fastmetrics.classification.calibration import (
    BinaryAdaptiveCalibrationError,
    BinaryCalibrationError,
    ClasswiseCalibrationError,
    MulticlassAdaptiveCalibrationError,
    MulticlassCalibrationError,
    MultilabelCalibrationError,
)
from fastmetrics.classification.cohen_kappa import BinaryCohenKappa, MulticlassCohenKappa
from fastmetrics.classification.confusion_matrix import (
    BinaryConfusionMatrix,
    MulticlassConfusionMatrix,
    MultilabelConfusionMatrix,
)
from fastmetrics.classification.eer import BinaryEER, MulticlassEER, MultilabelEER
from fastmetrics.classification.exact_match import MulticlassExactMatch, MultilabelExactMatch
from fastmetrics.classification.f_beta import (
    BinaryF1Score,
    BinaryFBetaScore,
    MulticlassF1Score,
    MulticlassFBetaScore,
    MultilabelF1Score,
    MultilabelFBetaScore,
)
from fastmetrics.classification.family import Family
from fastmetrics.classification.gains import (
    BinaryCumulativeGains,
    BinaryLift,
    MulticlassCumulativeGains,
    MulticlassLift,
    MultilabelCumulativeGains,
    MultilabelLift,
)
from fastmetrics.classification.group_fairness import BinaryFairness, BinaryGroupStatRates
from fastmetrics.classification.hamming import (
    BinaryHammingDistance,
    MulticlassHammingDistance,
    MultilabelHammingDistance,
)
from fastmetrics.classification.hinge import BinaryHingeLoss, MulticlassHingeLoss
from fastmetrics.classification.jaccard import BinaryJaccardIndex, MulticlassJaccardIndex, MultilabelJaccardIndex
from fastmetrics.classification.logauc import BinaryLogAUC, MulticlassLogAUC, MultilabelLogAUC
from fastmetrics.classification.matthews_corrcoef import (
    BinaryMatthewsCorrCoef,
    MulticlassMatthewsCorrCoef,
    MultilabelMatthewsCorrCoef,
)
from fastmetrics.classification.negative_predictive_value import (
    BinaryNegativePredictiveValue,
    MulticlassNegativePredictiveValue,
    MultilabelNegativePredictiveValue,
)
from fastmetrics.classification.operating_points import (
    BinaryPrecisionAtFixedRecall,
    BinaryRecallAtFixedPrecision,
    BinarySensitivityAtSpecificity,
    BinarySpecificityAtSensitivity,
    MulticlassPrecisionAtFixedRecall,
    MulticlassRecallAtFixedPrecision,
    MulticlassSensitivityAtSpecificity,
    MulticlassSpecificityAtSensitivity,
    MultilabelPrecisionAtFixedRecall,
    MultilabelRecallAtFixedPrecision,
    MultilabelSensitivityAtSpecificity,
    MultilabelSpecificityAtSensitivity,
)
from fastmetrics.classification.precision_recall import (
    BinaryPrecision,
    BinaryRecall,
    MulticlassPrecision,
    MulticlassRecall,
    MultilabelPrecision,
    MultilabelRecall,
)
from fastmetrics.classification.precision_recall_curve import (
    BinaryPrecisionRecallCurve,
    MulticlassPrecisionRecallCurve,
    MultilabelPrecisionRecallCurve,
)
from fastmetrics.classification.proper_scores import (
    BinaryBrierScore,
    BinaryLogLoss,
    MulticlassBrierScore,
    MulticlassLogLoss,
    MultilabelBrierScore,
    MultilabelLogLoss,
)
from fastmetrics.classification.ranking import (
    MultilabelCoverageError,
    MultilabelRankingAveragePrecision,
    MultilabelRankingLoss,
)
from fastmetrics.classification.rates import (
    BinaryBalancedErrorRate,
    BinaryFowlkesMallowsScore,
    BinaryGeometricMeanScore,
    BinaryInformedness,
    BinaryMarkedness,
    MulticlassBalancedErrorRate,
    MulticlassFowlkesMallowsScore,
    MulticlassGeometricMeanScore,
    MulticlassInformedness,
    MulticlassMarkedness,
    MultilabelBalancedErrorRate,
    MultilabelFowlkesMallowsScore,
    MultilabelGeometricMeanScore,
    MultilabelInformedness,
    MultilabelMarkedness,
)
from fastmetrics.classification.reliability import BinaryReliabilityDiagram, MulticlassReliabilityDiagram
from fastmetrics.classification.roc import BinaryROC, MulticlassROC, MultilabelROC
from fastmetrics.classification.separation import (
    BinaryGiniCoefficient,
    BinaryKolmogorovSmirnov,
    MulticlassGiniCoefficient,
    MulticlassKolmogorovSmirnov,
    MultilabelGiniCoefficient,
    MultilabelKolmogorovSmirnov,
)
from fastmetrics.classification.specificity import BinarySpecificity, MulticlassSpecificity, MultilabelSpecificity
from fastmetrics.classification.stat_scores import BinaryStatScores, MulticlassStatScores, MultilabelStatScores
from fastmetrics.classification.top_k import MeanReciprocalRank, TopKAccuracy

__all__ = [
    "AUROC",
    "EER",
    "ROC",
    "Accuracy",
    "AdaptiveCalibrationError",
    "AveragePrecision",
    "BalancedErrorRate",
    "BestThreshold",
    "BinaryAUROC",
    "BinaryAccuracy",
    "BinaryAdaptiveCalibrationError",
    "BinaryAveragePrecision",
    "BinaryBalancedErrorRate",
    "BinaryBestThreshold",
    "BinaryBrierScore",
    "BinaryCalibrationError",
    "BinaryCohenKappa",
    "BinaryConfusionMatrix",
    "BinaryCumulativeGains",
    "BinaryEER",
    "BinaryF1Score",
    "BinaryFBetaScore",
    "BinaryFairness",
    "BinaryFowlkesMallowsScore",
    "BinaryGeometricMeanScore",
    "BinaryGiniCoefficient",
    "BinaryGroupStatRates",
    "BinaryHammingDistance",
    "BinaryHingeLoss",
    "BinaryInformedness",
    "BinaryJaccardIndex",
    "BinaryKolmogorovSmirnov",
    "BinaryLift",
    "BinaryLogAUC",
    "BinaryLogLoss",
    "BinaryMarkedness",
    "BinaryMatthewsCorrCoef",
    "BinaryNegativePredictiveValue",
    "BinaryPrecision",
    "BinaryPrecisionAtFixedRecall",
    "BinaryPrecisionRecallCurve",
    "BinaryROC",
    "BinaryRecall",
    "BinaryRecallAtFixedPrecision",
    "BinaryReliabilityDiagram",
    "BinarySensitivityAtSpecificity",
    "BinarySpecificity",
    "BinarySpecificityAtSensitivity",
    "BinaryStatScores",
    "BrierScore",
    "CalibrationError",
    "ClasswiseCalibrationError",
    "CohenKappa",
    "ConfusionMatrix",
    "CumulativeGains",
    "ExactMatch",
    "F1Score",
    "FBetaScore",
    "FowlkesMallowsScore",
    "GeometricMeanScore",
    "GiniCoefficient",
    "HammingDistance",
    "HingeLoss",
    "Informedness",
    "JaccardIndex",
    "KolmogorovSmirnov",
    "Lift",
    "LogAUC",
    "LogLoss",
    "Markedness",
    "MatthewsCorrCoef",
    "MeanReciprocalRank",
    "MulticlassAUROC",
    "MulticlassAccuracy",
    "MulticlassAdaptiveCalibrationError",
    "MulticlassAveragePrecision",
    "MulticlassBalancedErrorRate",
    "MulticlassBestThreshold",
    "MulticlassBrierScore",
    "MulticlassCalibrationError",
    "MulticlassCohenKappa",
    "MulticlassConfusionMatrix",
    "MulticlassCumulativeGains",
    "MulticlassEER",
    "MulticlassExactMatch",
    "MulticlassF1Score",
    "MulticlassFBetaScore",
    "MulticlassFowlkesMallowsScore",
    "MulticlassGeometricMeanScore",
    "MulticlassGiniCoefficient",
    "MulticlassHammingDistance",
    "MulticlassHingeLoss",
    "MulticlassInformedness",
    "MulticlassJaccardIndex",
    "MulticlassKolmogorovSmirnov",
    "MulticlassLift",
    "MulticlassLogAUC",
    "MulticlassLogLoss",
    "MulticlassMarkedness",
    "MulticlassMatthewsCorrCoef",
    "MulticlassNegativePredictiveValue",
    "MulticlassPrecision",
    "MulticlassPrecisionAtFixedRecall",
    "MulticlassPrecisionRecallCurve",
    "MulticlassROC",
    "MulticlassRecall",
    "MulticlassRecallAtFixedPrecision",
    "MulticlassReliabilityDiagram",
    "MulticlassSensitivityAtSpecificity",
    "MulticlassSpecificity",
    "MulticlassSpecificityAtSensitivity",
    "MulticlassStatScores",
    "MultilabelAUROC",
    "MultilabelAccuracy",
    "MultilabelAveragePrecision",
    "MultilabelBalancedErrorRate",
    "MultilabelBestThreshold",
    "MultilabelBrierScore",
    "MultilabelCalibrationError",
    "MultilabelConfusionMatrix",
    "MultilabelCoverageError",
    "MultilabelCumulativeGains",
    "MultilabelEER",
    "MultilabelExactMatch",
    "MultilabelF1Score",
    "MultilabelFBetaScore",
    "MultilabelFowlkesMallowsScore",
    "MultilabelGeometricMeanScore",
    "MultilabelGiniCoefficient",
    "MultilabelHammingDistance",
    "MultilabelInformedness",
    "MultilabelJaccardIndex",
    "MultilabelKolmogorovSmirnov",
    "MultilabelLift",
    "MultilabelLogAUC",
    "MultilabelLogLoss",
    "MultilabelMarkedness",
    "MultilabelMatthewsCorrCoef",
    "MultilabelNegativePredictiveValue",
    "MultilabelPrecision",
    "MultilabelPrecisionAtFixedRecall",
    "MultilabelPrecisionRecallCurve",
    "MultilabelROC",
    "MultilabelRankingAveragePrecision",
    "MultilabelRankingLoss",
    "MultilabelRecall",
    "MultilabelRecallAtFixedPrecision",
    "MultilabelSensitivityAtSpecificity",
    "MultilabelSpecificity",
    "MultilabelSpecificityAtSensitivity",
    "MultilabelStatScores",
    "NegativePredictiveValue",
    "Precision",
    "PrecisionAtFixedRecall",
    "PrecisionRecallCurve",
    "Recall",
    "RecallAtFixedPrecision",
    "ReliabilityDiagram",
    "SensitivityAtSpecificity",
    "Specificity",
    "SpecificityAtSensitivity",
    "StatScores",
    "TopKAccuracy",
]

def __getattr__(name: str) -> Any: ...

class AUROC(Family):
    """The area under the curve of true over false positive rates: how often a positive has a higher score."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        max_fpr: float | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryAUROC: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        max_fpr: float | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassAUROC: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        max_fpr: float | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelAUROC: ...

class Accuracy(Family):
    """Accuracy: the share of the decisions that are right."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryAccuracy: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassAccuracy: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelAccuracy: ...

class AdaptiveCalibrationError(Family):
    """Calibration error over bins of equal mass: of as many samples each as can be."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        n_bins: int = 15,
        norm: str = "l1",
        num_classes: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryAdaptiveCalibrationError: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        n_bins: int = 15,
        norm: str = "l1",
        num_classes: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassAdaptiveCalibrationError: ...

class AveragePrecision(Family):
    """Average precision: the mean, over the positives, of the precision at their scores."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryAveragePrecision: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassAveragePrecision: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelAveragePrecision: ...

class BalancedErrorRate(Family):
    """Balanced error rate: the mean of the miss rate and the false alarm rate."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryBalancedErrorRate: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassBalancedErrorRate: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelBalancedErrorRate: ...

class BestThreshold(Family):
    """The threshold whose decisions are best, and how good they are."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        criterion: str = "f_beta",
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryBestThreshold: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        criterion: str = "f_beta",
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassBestThreshold: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        criterion: str = "f_beta",
        beta: float = 1.0,
        costs: tuple[float, float] = (1.0, 1.0),
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelBestThreshold: ...

class BrierScore(Family):
    """Brier score: the mean squared difference of probabilities and what is so; NaN without samples."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryBrierScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassBrierScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelBrierScore: ...

class CalibrationError(Family):
    """Calibration error: how far probabilities are from how often what they are of is so."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        n_bins: int = 15,
        norm: str = "l1",
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryCalibrationError: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        n_bins: int = 15,
        norm: str = "l1",
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassCalibrationError: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        n_bins: int = 15,
        norm: str = "l1",
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelCalibrationError: ...

class CohenKappa(Family):
    """Cohen's kappa: the agreement of predictions and targets beyond chance."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        weights: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryCohenKappa: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        weights: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> MulticlassCohenKappa: ...

class ConfusionMatrix(Family):
    """Confusion matrix: how often each class was predicted for each target; row = target, column = prediction."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        normalize: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryConfusionMatrix: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        normalize: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> MulticlassConfusionMatrix: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        normalize: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelConfusionMatrix: ...

class CumulativeGains(Family):
    """The cumulative gains curve: the share of all positives among the samples with the greatest scores."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryCumulativeGains: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassCumulativeGains: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelCumulativeGains: ...

class EER(Family):
    """The equal error rate: the mean of the false positive and the false negative rate where they differ least."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryEER: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassEER: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelEER: ...

class ExactMatch(Family):
    """Exact match, also called subset accuracy: the share of the samples that are right in every place."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> MulticlassExactMatch: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        multidim_average: str = "global",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> MultilabelExactMatch: ...

class F1Score(Family):
    """F1 score: the harmonic mean of precision and recall."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryF1Score: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassF1Score: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelF1Score: ...

class FBetaScore(Family):
    """F-score: the weighted harmonic mean of precision and recall."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
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
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryFBetaScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
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
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassFBetaScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
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
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelFBetaScore: ...

class FowlkesMallowsScore(Family):
    """Fowlkes-Mallows score: the geometric mean of precision and recall."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryFowlkesMallowsScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassFowlkesMallowsScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelFowlkesMallowsScore: ...

class GeometricMeanScore(Family):
    """Geometric mean of recall and specificity."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryGeometricMeanScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassGeometricMeanScore: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelGeometricMeanScore: ...

class GiniCoefficient(Family):
    """The Gini coefficient of scores, also Somers' D: how much more often a positive has the higher score."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryGiniCoefficient: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassGiniCoefficient: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelGiniCoefficient: ...

class HammingDistance(Family):
    """Hamming distance: the share of the decisions that are wrong."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryHammingDistance: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassHammingDistance: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelHammingDistance: ...

class HingeLoss(Family):
    """Hinge loss of scores, a mean over samples; NaN without any."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        num_classes: int | None = None,
        squared: bool = False,
        multiclass_mode: str = "crammer-singer",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> BinaryHingeLoss: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        num_classes: int | None = None,
        squared: bool = False,
        multiclass_mode: str = "crammer-singer",
        ignore_index: int | None = None,
        validate_args: bool = True,
        **kwargs: Any,
    ) -> MulticlassHingeLoss: ...

class Informedness(Family):
    """Informedness, Youden's J: recall + specificity - 1; that of a guess is 0."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryInformedness: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassInformedness: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelInformedness: ...

class JaccardIndex(Family):
    """Jaccard index: the intersection of predictions and targets over their union."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryJaccardIndex: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        **kwargs: Any,
    ) -> MulticlassJaccardIndex: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelJaccardIndex: ...

class KolmogorovSmirnov(Family):
    """The Kolmogorov-Smirnov statistic: the greatest distance of the distributions of positive and negative scores."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryKolmogorovSmirnov: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassKolmogorovSmirnov: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelKolmogorovSmirnov: ...

class Lift(Family):
    """The lift curve: how much more frequent positives are among the samples with the greatest scores than among all."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryLift: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassLift: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelLift: ...

class LogAUC(Family):
    """The area under the ROC curve over the logarithm of the false positive rate, in a range of it."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        fpr_range: tuple[float, float] = (0.001, 0.1),
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryLogAUC: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        fpr_range: tuple[float, float] = (0.001, 0.1),
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassLogAUC: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        fpr_range: tuple[float, float] = (0.001, 0.1),
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelLogAUC: ...

class LogLoss(Family):
    """Log loss: the mean negative logarithm of the probability of what is so, in nats; NaN without samples."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryLogLoss: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassLogLoss: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "macro",
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelLogLoss: ...

class Markedness(Family):
    """Markedness: precision + negative predictive value - 1; that of a guess is 0."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryMarkedness: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassMarkedness: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelMarkedness: ...

class MatthewsCorrCoef(Family):
    """Matthews' coefficient: the correlation of predictions and targets."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> BinaryMatthewsCorrCoef: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> MulticlassMatthewsCorrCoef: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        undefined: float | None = None,
        **kwargs: Any,
    ) -> MultilabelMatthewsCorrCoef: ...

class NegativePredictiveValue(Family):
    """Negative predictive value: the share of the negative decisions that are right."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryNegativePredictiveValue: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassNegativePredictiveValue: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelNegativePredictiveValue: ...

class Precision(Family):
    """Precision: the share of the positive decisions that are right."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryPrecision: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassPrecision: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelPrecision: ...

class PrecisionAtFixedRecall(Family):
    """The greatest precision where recall is at least ``min_recall``, and the threshold of that point."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        min_recall: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryPrecisionAtFixedRecall: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        min_recall: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassPrecisionAtFixedRecall: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        min_recall: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelPrecisionAtFixedRecall: ...

class PrecisionRecallCurve(Family):
    """Precision and recall at each threshold."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryPrecisionRecallCurve: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassPrecisionRecallCurve: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelPrecisionRecallCurve: ...

class ROC(Family):
    """False and true positive rates at each threshold."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryROC: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassROC: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelROC: ...

class Recall(Family):
    """Recall, also called sensitivity: the share of the positive targets that are found."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryRecall: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassRecall: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelRecall: ...

class RecallAtFixedPrecision(Family):
    """The greatest recall where precision is at least ``min_precision``, and the threshold of that point."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        min_precision: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryRecallAtFixedPrecision: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        min_precision: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassRecallAtFixedPrecision: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        min_precision: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelRecallAtFixedPrecision: ...

class ReliabilityDiagram(Family):
    """What a reliability diagram shows: for each bin of probabilities, how often what they are of is so."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        n_bins: int = 15,
        num_classes: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryReliabilityDiagram: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        n_bins: int = 15,
        num_classes: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassReliabilityDiagram: ...

class SensitivityAtSpecificity(Family):
    """The greatest sensitivity where specificity is at least ``min_specificity``, and the threshold of that point."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        min_specificity: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinarySensitivityAtSpecificity: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        min_specificity: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassSensitivityAtSpecificity: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        min_specificity: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelSensitivityAtSpecificity: ...

class Specificity(Family):
    """Specificity: the share of the negative targets that are found."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinarySpecificity: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassSpecificity: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelSpecificity: ...

class SpecificityAtSensitivity(Family):
    """The greatest specificity where sensitivity is at least ``min_sensitivity``, and the threshold of that point."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        min_sensitivity: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinarySpecificityAtSensitivity: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        min_sensitivity: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MulticlassSpecificityAtSensitivity: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        min_sensitivity: float,
        thresholds: int | list[float] | Tensor | None = None,
        num_classes: int | None = None,
        num_labels: int | None = None,
        ignore_index: int | None = None,
        validate_args: bool = True,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelSpecificityAtSensitivity: ...

class StatScores(Family):
    """tp, fp, tn, fn and support, the number of positive targets."""
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["binary"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> BinaryStatScores: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multiclass"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        exclude_ignored: bool = False,
        **kwargs: Any,
    ) -> MulticlassStatScores: ...
    @overload
    def __new__(  # type: ignore[misc]
        cls,
        task: Literal["multilabel"],
        threshold: float = 0.5,
        num_classes: int | None = None,
        num_labels: int | None = None,
        average: str | None = "micro",
        multidim_average: str = "global",
        top_k: int = 1,
        ignore_index: int | None = None,
        validate_args: bool = True,
        zero_division: float = 0,
        *,
        logits: bool | None = None,
        **kwargs: Any,
    ) -> MultilabelStatScores: ...
