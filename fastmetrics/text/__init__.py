# SPDX-License-Identifier: Apache-2.0
"""Metrics of language models."""

from fastmetrics.text.calibration import TokenCalibrationError
from fastmetrics.text.perplexity import BitsPerByte, NegativeLogLikelihood, Perplexity
from fastmetrics.text.tokens import TokenAccuracy, TokenEntropy, TokenRank

__all__ = [
    "BitsPerByte",
    "NegativeLogLikelihood",
    "Perplexity",
    "TokenAccuracy",
    "TokenCalibrationError",
    "TokenEntropy",
    "TokenRank",
]
