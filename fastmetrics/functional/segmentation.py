# SPDX-License-Identifier: Apache-2.0
"""Segmentation metrics as functions, made from their classes; ``segmentation.pyi`` lists them.

They have a value for each image.
"""

from fastmetrics import segmentation
from fastmetrics.functional.forms import functional, publish

# torchmetrics' order, which is another one than that of the classes
_FIRST = ("num_classes", "include_background", "average", "per_class", "weight_type")
_FIRST += ("distance_metric", "spacing", "directed", "input_format")

publish(__name__, (functional(getattr(segmentation, name), first=_FIRST) for name in vars(segmentation)["__all__"]))
