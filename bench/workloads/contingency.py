# SPDX-License-Identifier: Apache-2.0
"""Two labelings of the same samples: nominal variables, and clusterings.

torchmetrics keeps the labels and counts them in ``compute``; a ``forward`` has everything of both.
"""

from bench.inputs import Labels, Ratings
from bench.specs import metric
from bench.workloads.family import confusion
from bench.workloads.table import M, Workload

VARIABLES = Labels(10 * M, 100, 0.3)
CLUSTERS = Labels(M, 20, 0.3)

ROWS = [
    *(
        Workload(
            name=f"{name}, 10M int64 labels, C = 100",
            inputs=VARIABLES,
            ours=metric(name, num_classes=100),
            alone=confusion(100),
            bars={"alone": 1.1},
            shares={"torchmetrics": 1 / 20},
            tolerance=1e-3,  # of float32 sums
        )
        for name in ("CramersV", "TschuprowsT", "PearsonsContingencyCoefficient", "TheilsU")
    ),
    *(
        Workload(
            name=f"forward of {name}, 1M int64 labels, C = 20",
            inputs=CLUSTERS,
            ours=metric(name, num_classes=20),
            theirs=metric(name),
            call="forward",
            shares={"torchmetrics": share},
            tolerance=1e-3,
        )
        for name, share in (
            ("MutualInfoScore", 1 / 20),
            ("NormalizedMutualInfoScore", 1 / 20),
            ("AdjustedMutualInfoScore", 1 / 1000),  # seconds for 10,000 samples
            ("AdjustedRandScore", 1 / 20),
            ("FowlkesMallowsIndex", 1 / 20),
            ("VMeasureScore", 1 / 20),
        )
    ),
    Workload(
        name="forward of FleissKappa, 100k x 10 counts of 8 raters",
        inputs=Ratings((100_000, 10), 8),
        ours=metric("FleissKappa"),
        call="forward",
        tolerance=1e-3,
    ),
]
