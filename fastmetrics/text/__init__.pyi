# SPDX-License-Identifier: Apache-2.0
# Written by tools/stubs.py; `make stubs` writes it again.
from typing import Any

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

def __getattr__(name: str) -> Any: ...
