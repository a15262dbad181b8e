# SPDX-License-Identifier: Apache-2.0
"""A confusion matrix to look at."""

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

INK, PAPER, RIGHT, WRONG = "#22303c", "#ffffff", "#2a6f97", "#c8553d"


def draw_confusion(confusion, images, labels, preds, path):
    """Write the matrix, with the recall of each class, and the images that were mistaken most confidently.

    Args:
        confusion: int64 [C, C], row = target.
        images: [N, 8, 8] of the mistakes, the most confident first.
        labels: [N], their targets.
        preds: [N], what they were taken for.
        path: of the PNG.
    """
    counts = confusion.numpy()
    classes = len(counts)
    share = counts / counts.sum(1, keepdims=True).clip(1)
    diagonal = np.eye(classes, dtype=bool)
    of_right = LinearSegmentedColormap.from_list("right", [PAPER, RIGHT])
    of_wrong = LinearSegmentedColormap.from_list("wrong", [PAPER, WRONG])
    # an error is coloured by its size among the errors, so that one in fifty is seen beside the diagonal
    errors = np.where(diagonal, 0, share)
    colours = np.where(diagonal[..., None], of_right(share), of_wrong(np.sqrt(errors / max(errors.max(), 1e-9)) * 0.9))

    figure = plt.figure(figsize=(11, 8), facecolor=PAPER)
    grid = figure.add_gridspec(1, 2, width_ratios=[5, 1.25], wspace=0.28, left=0.07, right=0.96, top=0.87, bottom=0.08)
    axes = figure.add_subplot(grid[0])
    axes.imshow(colours)
    for row in range(classes):
        for column in range(classes):
            if counts[row, column] == 0:
                continue
            dark = share[row, column] > 0.5 if row == column else errors[row, column] > 0.4 * errors.max()
            colour = PAPER if dark else INK
            axes.text(column, row - 0.08, counts[row, column], ha="center", va="center", color=colour, fontsize=12)
            axes.text(
                column, row + 0.27, f"{share[row, column]:.0%}", ha="center", va="center", color=colour, fontsize=7.5
            )
    axes.set_xticks(range(classes))
    axes.set_yticks(range(classes))
    axes.set_xlabel("predicted digit", color=INK, fontsize=12)
    axes.set_ylabel("true digit", color=INK, fontsize=12)
    axes.set_xticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(classes + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#e3e8ec", linewidth=1)
    axes.tick_params(which="both", length=0, colors=INK, labelsize=11)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row in range(classes):
        axes.text(classes - 0.35, row, f"{share[row, row]:.1%}", va="center", color=INK, fontsize=9)
    axes.text(classes - 0.35, -0.75, "recall", color=INK, fontsize=9)

    right, total = np.trace(counts), counts.sum()
    figure.suptitle(
        f"Handwritten digits: {right} of {total} right, accuracy {right / total:.1%}",
        x=0.07,
        ha="left",
        color=INK,
        fontsize=16,
        fontweight="bold",
    )
    figure.text(
        0.07, 0.915, "count and share of the row; errors in red, scaled among themselves", color=INK, fontsize=10
    )
    gallery = grid[1].subgridspec(4, 1, hspace=0.45)
    for place, (image, label, pred) in enumerate(zip(images[:4], labels[:4], preds[:4], strict=True)):
        small = figure.add_subplot(gallery[place])
        small.imshow(image, cmap="gray_r", interpolation="nearest")
        small.set_axis_off()
        small.set_title(f"a {int(label)}, taken for a {int(pred)}", color=INK, fontsize=9)
    figure.savefig(path, dpi=150)
    plt.close(figure)
