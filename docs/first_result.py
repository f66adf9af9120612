"""Draws the picture in README.md from the results of its first command.

To draw it again: `python docs/first_result.py RESULTS_FOLDER`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import ganbench
from ganbench.report.columns import column
from ganbench.report.formatting import shown
from ganbench.report.sample_images import first_cells, real_part, step_of_grid

CELLS = 4  # in a row and in a column of each grid
OUT = Path(__file__).with_name("first-result.png")


def main(folder: Path) -> None:
    """One grid per variant, the last of its training, the real digits before them."""
    runs = ganbench.load(folder).runs
    grids: list[tuple[str, str, Image.Image]] = []
    for run in runs.itertuples():
        samples = folder / "runs" / str(run.run_id) / "samples"
        file = max(samples.glob("step-*.png"), key=step_of_grid)
        with Image.open(file) as grid, Image.open(samples / "real-and-fake.png") as both:
            size = int(run.recipe_image_size)
            fake = first_cells(grid, size, CELLS)
            real = first_cells(real_part(both, grid.size), size, CELLS)
        note = f"FID {shown(run.fid, column('fid'))} · {run.steps:,} steps"
        grids.append((str(run.variant), note, fake))
    figure = Figure(figsize=(9, 2.25), dpi=100)
    panels = figure.subplots(1, len(grids) + 1)
    for axes, (name, note, image) in zip(panels, [("real", "digits", real), *grids], strict=True):
        axes.imshow(np.asarray(image), interpolation="nearest")
        axes.set_axis_off()
        axes.text(0.5, -0.05, name, transform=axes.transAxes, ha="center", va="top", weight="bold")
        axes.text(0.5, -0.17, note, transform=axes.transAxes, ha="center", va="top", size=8)
    figure.subplots_adjust(0.005, 0.17, 0.995, 0.995, wspace=0.06)
    figure.savefig(OUT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
