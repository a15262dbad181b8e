# SPDX-License-Identifier: Apache-2.0
"""Logits of language models."""

import torch

from bench import expressions as e
from bench.inputs import Hidden, Scores
from bench.specs import FromHidden, collection, metric
from bench.workloads.table import Workload


def as_sequence(preds, target):
    """As torchmetrics takes it, ``[B, S, V]`` and ``[B, S]``; views."""
    return preds.unsqueeze(0), target.unsqueeze(0)


ROWS = [
    Workload(
        name="perplexity, 512 x 32,000 f32 logits",
        inputs=Scores((512, 32_000)),
        ours=metric("Perplexity"),
        prepare=as_sequence,
        eager=e.perplexity,
        bars={"reads": 1.4, "torchmetrics": 8, "compile": 1},
        note="bound by memory: at exactly one read it would be some 7 × torchmetrics where these logits are in no cache",
    ),
    Workload(
        name="perplexity, accuracy, top-5 and entropy, 512 x 128,000 bf16 logits",
        inputs=Scores((512, 128_000), torch.bfloat16),
        ours=collection(
            perplexity=metric("Perplexity"), accuracy=metric("TokenAccuracy", k=(1, 5)), entropy=metric("TokenEntropy")
        ),
        theirs=None,
        eager=e.four_of_tokens,
        bars={"reads": 2, "eager": 15},
    ),
    Workload(
        name="perplexity of hidden states, 2048 x 1024 to 32,000 f32",
        inputs=Hidden(2048, 1024, 32_000),
        ours=FromHidden(metric("Perplexity")),
        theirs=None,
        eager=e.perplexity_of_hidden,
        peers={"product": e.product},
        bars={"product": 1.15, "memory": 64 << 20},
    ),
]
