# SPDX-License-Identifier: Apache-2.0
"""Metrics of nominal variables."""

from fastmetrics.nominal.association import CramersV, PearsonsContingencyCoefficient, TheilsU, TschuprowsT
from fastmetrics.nominal.fleiss_kappa import FleissKappa

__all__ = ["CramersV", "FleissKappa", "PearsonsContingencyCoefficient", "TheilsU", "TschuprowsT"]
