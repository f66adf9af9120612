"""Moments of training that variants share which drew their samples at unequal steps."""

from __future__ import annotations

import csv

import pytest
import results_doubles as doubles

from ganbench.report.charts.samples import samples
from ganbench.report.charts.style import LIGHT, ChartStyle
from ganbench.report.gather import gather
from ganbench.report.moments import shared_moments


def entries_of(folder, drawn, **fields):
    """One run per variant whose pictures are of the given steps; the last one ends its training."""
    runs = [doubles.result(name, steps=max(steps), **fields) for name, steps in drawn.items()]
    doubles.write(folder, runs)
    for run in runs:
        pictures = folder / "runs" / run.run_id / "samples"
        (kept, *others) = sorted(pictures.glob("step-*.png"))
        for step in drawn[run.variant]:
            (pictures / f"step-{step:07d}.png").write_bytes(kept.read_bytes())
        for file in (kept, *others):
            if int(file.stem[5:]) not in drawn[run.variant]:
                file.unlink()
    (group,) = gather([folder]).groups
    return group, {label: group.of(label)[0] for label in group.labels}


def shown(entries, most=8):
    """What is shown of each variant at each moment: steps, or None where there is nothing."""
    moments = shared_moments(entries, most)
    places = range(len(moments.texts))
    return moments.texts, {
        label: [found.step if (found := moments.shown(label, place)) else None for place in places]
        for label in entries
    }


def test_a_variant_that_draws_rarely_is_shown_as_it_last_was(tmp_path):
    drawn = {"mlp": (1000, 2000, 3000, 4000), "dcgan": (2000, 4000)}
    texts, steps = shown(entries_of(tmp_path, drawn)[1])
    assert texts == ("step 1,000", "step 2,000", "step 3,000", "step 4,000")
    assert steps == {"mlp": [1000, 2000, 3000, 4000], "dcgan": [None, 2000, 2000, 4000]}


def test_variants_of_unequal_batches_are_shown_at_the_same_share_of_their_training(tmp_path):
    drawn = {"mlp": (469, 938), "dcgan": (235, 469)}  # half of 469 is rounded up
    texts, steps = shown(entries_of(tmp_path, drawn)[1])
    assert texts == ("50% of training", "100% of training")
    assert steps == {"mlp": [469, 938], "dcgan": [235, 469]}


def test_the_last_picture_of_each_variant_is_shown_where_moments_are_left_out(tmp_path):
    drawn = {"mlp": tuple(range(100, 2100, 100)), "dcgan": (700, 1400)}
    texts, steps = shown(entries_of(tmp_path, drawn)[1], most=3)
    assert len(texts) == 3
    assert [steps[name][-1] for name in drawn] == [2000, 1400]


def test_the_first_step_is_named_though_its_picture_is_left_out(tmp_path):
    drawn = {"mlp": tuple(range(100, 2100, 100)), "dcgan": (700, 1400)}
    moments = shared_moments(entries_of(tmp_path, drawn)[1], 2)
    assert [moment.step for moment in moments.of["dcgan"]] == [1400]
    assert moments.not_yet("dcgan").endswith("the first at step 700")


def test_a_budget_of_seconds_is_shared_by_the_clock(tmp_path):
    _, entries = entries_of(tmp_path, {"mlp": (500, 1000), "dcgan": (30, 100)}, budget="20s")
    # dcgan was slow at first: its 30th step came after as many seconds as the 500th of mlp
    for name, clock in (("mlp", ((500, 10), (1000, 20))), ("dcgan", ((30, 10), (100, 20)))):
        with entries[name].run.history.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(doubles.HISTORY)
            for step, seconds in clock:
                row = dict.fromkeys(doubles.HISTORY, 0.5) | {"step": step, "seconds": seconds}
                writer.writerow(row.values())
    texts, steps = shown(entries)
    assert texts == ("50% of training", "100% of training")
    assert steps == {"mlp": [500, 1000], "dcgan": [30, 100]}


def test_images_made_elsewhere_are_shown_at_every_moment(tmp_path):
    _, entries = entries_of(tmp_path, {"mlp": (100, 200), "frozen": (0,)})
    texts, steps = shown(entries)
    assert texts == ("step 100", "step 200")
    assert steps == {"mlp": [100, 200], "frozen": [0, 0]}
    assert shared_moments(entries, 8).shown("frozen", 1).text == "made elsewhere"


def test_the_chart_says_in_a_cell_why_it_is_empty_and_no_other_cell_is(tmp_path):
    group, _ = entries_of(tmp_path, {"mlp": (1000, 2000, 3000), "dcgan": (2000, 3000)})
    figure = samples(group, ChartStyle(LIGHT, ("mlp", "dcgan")))
    texts = [text.get_text() for text in figure.texts]
    assert texts.count("none drawn yet:\nthe first at step 2,000") == 1
    assert len(figure.images) == 5


def test_variants_stand_side_by_side_where_there_is_one_moment(tmp_path):
    labels = [f"variant-{number}" for number in range(8)]
    group, _ = entries_of(tmp_path, dict.fromkeys(labels, (1000,)))
    figure = samples(group, ChartStyle(LIGHT, labels))
    places = [(image.ox, image.oy) for image in figure.images]
    rows = sorted({up for _, up in places}, reverse=True)
    assert [sum(up == row for _, up in places) for row in rows] == [6, 2]
    assert len(set(places)) == 8
    texts = [text.get_text() for text in figure.texts]
    assert texts[0].startswith("Samples · ")
    assert [text for text in texts if text in labels] == labels


@pytest.mark.parametrize("steps", [(1000,), (1000, 2000)])
@pytest.mark.parametrize("sign", ["-", "", "_é"])
def test_a_long_name_is_broken_and_covers_no_picture(tmp_path, steps, sign):
    long = f"variant{sign}whose{sign}name{sign}is{sign}longer{sign}than{sign}its{sign}pictures"
    group, _ = entries_of(tmp_path, {long: steps, "mlp": steps, "dcgan": steps})
    style = ChartStyle(LIGHT, (long, "mlp", "dcgan"))
    with style.applied():
        figure = samples(group, style)
        figure.draw_without_rendering()
        (name,) = [text for text in figure.texts if text.get_text().replace("\n", "") == long]
        box = name.get_window_extent()
    assert box.x0 >= 0
    assert box.y1 <= figure.bbox.y1
    for image in figure.images:
        high, wide = image.get_size()
        beside = box.x1 <= image.ox or box.x0 >= image.ox + wide
        assert beside or box.y0 >= image.oy + high or box.y1 <= image.oy
