# SPDX-License-Identifier: Apache-2.0
"""Batches made to measure."""

import torch


def labels_of(table, device="cpu"):
    """Labels and targets that fill the table."""
    pairs = [(p, t) for t, row in enumerate(table) for p, n in enumerate(row) for _ in range(n)]
    return torch.tensor(pairs, device=device).T


def pair(n, d, logarithms=False, seed=0):
    torch.manual_seed(seed)
    x, y = torch.rand(n, d) * 5, torch.rand(n, d) * 5
    return (x.log_softmax(1), y.log_softmax(1)) if logarithms else (x, y)
