"""Bars in narrow terminals: what matters stays, details go from the right."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.progress import ProgressSample

from ganbench.launch.bars import details_within, shortened
from ganbench.launch.progress import Display

LOSSES = "step 1,200 · 13,293 images/s · D loss 1.07 · G loss 0.54 · D(x) 0.86"


def drawn(width: int, *names: str) -> list[str]:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=True, color_system=None)
    display = Display(console)
    for name in names:
        display.update(name, 30, 100, LOSSES)
    assert display._bars is not None
    for task in display._bars.tasks:  # 20 in 20 s, so that 70 take 70 s
        task.start_time, task.stop_time = 0.0, None
        task._progress.extend([ProgressSample(0.0, 10), ProgressSample(20.0, 20)])
    console.print(display._bars.get_renderable())
    return [line.rstrip() for line in text.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_bar_percentage_time_left_and_seed_are_there_at_any_width(width):
    names = ["mlp · digits · seed 0", "a-long-name · imagefolder:/data/photos · seed 11"]
    lines = drawn(width, *names)
    assert len(lines) == len(names)
    for line, seed in zip(lines, ("seed 0", "seed 11"), strict=True):
        assert cell_len(line) <= width
        for part in (seed, "━", " 30%", "1:10 left"):
            assert part in line


def test_losses_go_from_the_right_and_none_is_cut():
    (narrow,), (wide,) = drawn(80, "mlp · digits · seed 0"), drawn(160, "mlp · digits · seed 0")
    assert narrow.endswith("step 1,200")
    assert wide.endswith(LOSSES)
    for width in range(100):
        kept = details_within(LOSSES, width)
        assert cell_len(kept) <= width
        assert LOSSES.split(" · ")[: kept.count(" · ") + 1] == kept.split(" · ") or not kept


def test_a_name_loses_its_dataset_then_the_end_of_its_variant_and_the_seed_last():
    name = "dcgan-smooth · imagefolder:/data/photos · seed 3: computing scores"
    assert shortened(name, 80) == name
    assert shortened(name, 50) == "dcgan-smooth · seed 3: computing scores"
    assert shortened(name, 32) == "dcga… · seed 3: computing scores"
    assert shortened(name, 10) == "seed 3: c…"
    assert shortened("训练数据集 · seed 3", 14) == "训练… · seed 3"
