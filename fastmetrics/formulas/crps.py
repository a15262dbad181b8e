# SPDX-License-Identifier: Apache-2.0
"""The continuous ranked probability score of ensembles."""

from __future__ import annotations

import torch
from torch import Tensor


def crps(preds: Tensor, target: Tensor) -> Tensor:
    """The score of each ensemble.

    It is the mean distance of the members from the target, less half the mean distance between members. The members
    sorted, the sum of all distances between them is a weighted sum of each: O(M log M) time and O(M) memory a row.

    Args:
        preds: of any real dtype, [N, M].
        target: of any real dtype, [N].

    Returns:
        float64 [N].
    """
    members = preds.shape[1]
    # distances do not change when the target moves to zero, and little is lost where all values are far from it
    distance = preds.sort(1).values.double() - target.double().unsqueeze(1)
    place = torch.arange(members, dtype=torch.float64, device=preds.device)
    return distance.abs().mean(1) - (distance * (2 * place - members + 1)).sum(1) / members**2
