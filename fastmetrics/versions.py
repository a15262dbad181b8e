# SPDX-License-Identifier: Apache-2.0
"""The releases of what this library stands on that it was tested with."""

from __future__ import annotations

import re
import warnings

import torch
import torchmetrics

#: Name -> version here, and the last release (major, minor) that was tested.
TESTED = {
    "torch": (torch.__version__, (2, 13)),
    "torchmetrics": (torchmetrics.__version__, (1, 9)),
}


def warn_of_untested() -> None:
    """Warn if torch or torchmetrics is of a later release than was tested."""
    later = []
    for name, (present, tested) in TESTED.items():
        found = re.match(r"(\d+)\.(\d+)", present)
        if found and (int(found[1]), int(found[2])) > tested:
            later.append(f"{name} {tested[0]}.{tested[1]}, and this is {name} {present}")
    if later:
        warnings.warn(f"fastmetrics was tested up to {'; up to '.join(later)}.", UserWarning, stacklevel=3)
