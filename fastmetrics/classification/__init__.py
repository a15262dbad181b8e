# SPDX-License-Identifier: Apache-2.0
"""Classification metrics."""

from fastmetrics.classification.accuracy import Accuracy, BinaryAccuracy, MulticlassAccuracy, MultilabelAccuracy
from fastmetrics.classification.auroc import AUROC, BinaryAUROC, MulticlassAUROC, MultilabelAUROC
from fastmetrics.classification.average_precision import (
    AveragePrecision,
    BinaryAveragePrecision,
    MulticlassAveragePrecision,
    MultilabelAveragePrecision,
)
from fastmetrics.classification.best_threshold import (
    BestThreshold,
    BinaryBestThreshold,
    MulticlassBestThreshold,
    MultilabelBestThreshold,
)
from fastmetrics.classification.calibration import (
    AdaptiveCalibrationError,
    BinaryAdaptiveCalibrationError,
    BinaryCalibrationError,
    CalibrationError,
    ClasswiseCalibrationError,
    MulticlassAdaptiveCalibrationError,
    MulticlassCalibrationError,
    MultilabelCalibrationError,
)
from fastmetrics.classification.cohen_kappa import BinaryCohenKappa, CohenKappa, MulticlassCohenKappa
from fastmetrics.classification.confusion_matrix import (
    BinaryConfusionMatrix,
    ConfusionMatrix,
    MulticlassConfusionMatrix,
    MultilabelConfusionMatrix,
)
from fastmetrics.classification.eer import EER, BinaryEER, MulticlassEER, MultilabelEER
from fastmetrics.classification.exact_match import ExactMatch, MulticlassExactMatch, MultilabelExactMatch
from fastmetrics.classification.f_beta import (
    BinaryF1Score,
    BinaryFBetaScore,
    F1Score,
    FBetaScore,
    MulticlassF1Score,
    MulticlassFBetaScore,
    MultilabelF1Score,
    MultilabelFBetaScore,
)
from fastmetrics.classification.gains import (
    BinaryCumulativeGains,
    BinaryLift,
    CumulativeGains,
    Lift,
    MulticlassCumulativeGains,
    MulticlassLift,
    MultilabelCumulativeGains,
    MultilabelLift,
)
from fastmetrics.classification.group_fairness import BinaryFairness, BinaryGroupStatRates
from fastmetrics.classification.hamming import (
    BinaryHammingDistance,
    HammingDistance,
    MulticlassHammingDistance,
    MultilabelHammingDistance,
)
from fastmetrics.classification.hinge import BinaryHingeLoss, HingeLoss, MulticlassHingeLoss
from fastmetrics.classification.jaccard import (
    BinaryJaccardIndex,
    JaccardIndex,
    MulticlassJaccardIndex,
    MultilabelJaccardIndex,
)
from fastmetrics.classification.logauc import BinaryLogAUC, LogAUC, MulticlassLogAUC, MultilabelLogAUC
from fastmetrics.classification.matthews_corrcoef import (
    BinaryMatthewsCorrCoef,
    MatthewsCorrCoef,
    MulticlassMatthewsCorrCoef,
    MultilabelMatthewsCorrCoef,
)
from fastmetrics.classification.negative_predictive_value import (
    BinaryNegativePredictiveValue,
    MulticlassNegativePredictiveValue,
    MultilabelNegativePredictiveValue,
    NegativePredictiveValue,
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
    PrecisionAtFixedRecall,
    RecallAtFixedPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from fastmetrics.classification.precision_recall import (
    BinaryPrecision,
    BinaryRecall,
    MulticlassPrecision,
    MulticlassRecall,
    MultilabelPrecision,
    MultilabelRecall,
    Precision,
    Recall,
)
from fastmetrics.classification.precision_recall_curve import (
    BinaryPrecisionRecallCurve,
    MulticlassPrecisionRecallCurve,
    MultilabelPrecisionRecallCurve,
    PrecisionRecallCurve,
)
from fastmetrics.classification.proper_scores import (
    BinaryBrierScore,
    BinaryLogLoss,
    BrierScore,
    LogLoss,
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
    BalancedErrorRate,
    BinaryBalancedErrorRate,
    BinaryFowlkesMallowsScore,
    BinaryGeometricMeanScore,
    BinaryInformedness,
    BinaryMarkedness,
    FowlkesMallowsScore,
    GeometricMeanScore,
    Informedness,
    Markedness,
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
from fastmetrics.classification.reliability import (
    BinaryReliabilityDiagram,
    MulticlassReliabilityDiagram,
    ReliabilityDiagram,
)
from fastmetrics.classification.roc import ROC, BinaryROC, MulticlassROC, MultilabelROC
from fastmetrics.classification.separation import (
    BinaryGiniCoefficient,
    BinaryKolmogorovSmirnov,
    GiniCoefficient,
    KolmogorovSmirnov,
    MulticlassGiniCoefficient,
    MulticlassKolmogorovSmirnov,
    MultilabelGiniCoefficient,
    MultilabelKolmogorovSmirnov,
)
from fastmetrics.classification.specificity import (
    BinarySpecificity,
    MulticlassSpecificity,
    MultilabelSpecificity,
    Specificity,
)
from fastmetrics.classification.stat_scores import (
    BinaryStatScores,
    MulticlassStatScores,
    MultilabelStatScores,
    StatScores,
)
from fastmetrics.classification.top_k import MeanReciprocalRank, TopKAccuracy

__all__ = [name for name, value in sorted(globals().items()) if isinstance(value, type)]
