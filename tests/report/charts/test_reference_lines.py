"""Charts of scores show the reference rows, and leave the variants their room."""

from __future__ import annotations

import pytest
import results_doubles as doubles
from matplotlib.figure import Figure

from ganbench.report.charts.reference_lines import make_room
from ganbench.report.charts.scores import quality
from ganbench.report.charts.style import LIGHT, ChartStyle
from ganbench.report.charts.tradeoff import tradeoff
from ganbench.report.gather import gather

LABELS = ("mlp", "dcgan")


def drawn(path, chart, fids, noise):
    """The axes of FID in a chart of two variants, and all that is written there."""
    rows = {
        "held-out real images through 16×16": {"images": 9, "scores": {"fid": 0.4}},
        "untrained generator": {"images": 9, "scores": {"fid": 5000.0}},
        "noise": {"images": 9, "scores": {"fid": noise}},
    }
    runs = [
        doubles.result(label, scores={"fid": fid}, references=rows)
        for label, fid in zip(LABELS, fids, strict=True)
    ]
    (group,) = gather([doubles.write(path, runs, files=False)]).groups
    figure = chart(group, ChartStyle(LIGHT, LABELS))
    axes = figure.axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    return axes, [text.get_text() for text in axes.texts], names


def drawn_at(axes, *, across):
    """Where the lines of a chart lie that keep one value from end to end."""
    of = "get_xdata" if across else "get_ydata"
    ends = [list(getattr(line, of)()) for line in axes.lines]
    return {some[0] for some in ends if len(some) == 2 and some[0] == some[1]}


def test_scores_have_a_row_and_a_line_per_reference_and_an_arrow_where_it_is_far(tmp_path):
    axes, texts, names = drawn(tmp_path, quality, (14.0, 22.0), noise=30.0)
    assert names == ["mlp", "dcgan", "held-out, 16×16", "untrained", "noise"]
    assert {0.4, 30.0} <= drawn_at(axes, across=True)
    assert 5000.0 not in drawn_at(axes, across=True)
    assert texts.count("→") == 1
    assert "5,000" in texts
    assert axes.get_xlim()[1] < 40


def test_quality_against_speed_names_its_lines_at_the_right(tmp_path):
    axes, texts, _ = drawn(tmp_path, tradeoff, (14.0, 22.0), noise=23.0)
    assert 23.0 in drawn_at(axes, across=False)
    assert {"held-out, 16×16 0.400 ↓", "untrained 5,000 ↑", "noise 23"} <= set(texts)
    assert axes.get_ylim()[1] < 40


@pytest.mark.parametrize("worst", [900.0, 20.0])  # both lines within the axis, and both beyond it
def test_names_of_lines_do_not_overlap_and_stand_in_the_order_of_their_numbers(tmp_path, worst):
    axes, _, _ = drawn(tmp_path, tradeoff, (14.0, worst), noise=4990.0)
    boxes = {text.get_text().split()[0]: text.get_window_extent() for text in axes.texts}
    assert not boxes["untrained"].overlaps(boxes["noise"])
    assert boxes["untrained"].y0 > boxes["noise"].y0


def test_without_references_no_row_and_no_line_is_added(tmp_path):
    folder = doubles.write(tmp_path, [doubles.result("mlp")], files=False)
    (group,) = gather([folder]).groups
    figure = quality(group, ChartStyle(LIGHT, LABELS))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["mlp"]
    assert "dotted" not in figure.texts[1].get_text()


@pytest.mark.parametrize(
    ("scale", "value", "ends"),
    [
        ("linear", 15.0, (0.0, 15.4)),  # half of the axis farther, and a margin of 4 in 100
        ("linear", 15.1, (0.0, 10.0)),
        ("linear", 5.0, (0.0, 10.0)),
        ("log", 30.0, (1.0, 10**1.517)),  # log10 of 30 is 1.477
        ("log", 40.0, (1.0, 10.0)),
        ("log", 0.0, (1.0, 10.0)),
    ],
)
def test_an_axis_takes_in_what_is_within_half_of_its_length_and_nothing_beyond(scale, value, ends):
    axes = Figure().subplots()
    axes.set_xscale(scale)
    axes.set_xlim(0 if scale == "linear" else 1, 10)
    make_room(axes, [value], across=True)
    assert axes.get_xlim() == pytest.approx(ends, rel=1e-3)
