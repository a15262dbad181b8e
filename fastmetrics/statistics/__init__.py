# SPDX-License-Identifier: Apache-2.0
"""What a metric asks of a batch: which statistics, read how, and which input is wrong.

One class per kind of input. It states the shapes of its statistics, checks the metadata of a batch (shapes, dtypes,
devices; never the values) and runs the pass that adds a batch to them.
"""

from fastmetrics.statistics.base import Statistics
from fastmetrics.statistics.binary import BinaryStatistics
from fastmetrics.statistics.calibration import CalibrationStatistics
from fastmetrics.statistics.exact_match import ExactMatchStatistics
from fastmetrics.statistics.hinge import HingeStatistics
from fastmetrics.statistics.multiclass import MulticlassStatistics
from fastmetrics.statistics.pairs import PairsStatistics
from fastmetrics.statistics.proper_scores import ProperScoreStatistics
from fastmetrics.statistics.ranking import RankingStatistics
from fastmetrics.statistics.tokens import TokenStatistics
from fastmetrics.statistics.values import ValuesStatistics

__all__ = [
    "BinaryStatistics",
    "CalibrationStatistics",
    "ExactMatchStatistics",
    "HingeStatistics",
    "MulticlassStatistics",
    "PairsStatistics",
    "ProperScoreStatistics",
    "RankingStatistics",
    "Statistics",
    "TokenStatistics",
    "ValuesStatistics",
]
