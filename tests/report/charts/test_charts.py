from functools import partial
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
import results_doubles as doubles
from matplotlib.figure import Figure
from PIL import Image

from ganbench.report.charts import all_charts, samples
from ganbench.report.charts.classes import class_histogram
from ganbench.report.charts.over_training import over_training
from ganbench.report.charts.style import DARK, LIGHT, ChartStyle, canvas, draw, render
from ganbench.report.charts.tradeoff import tradeoff
from ganbench.report.gather import gather
from ganbench.report.recorded import read_history
from ganbench.report.sample_images import evenly


@pytest.mark.parametrize("padding", [0, 1, 2])
def test_the_first_images_of_a_grid_are_found_whatever_lies_between_them(padding):
    size, columns = 28, 8
    side = columns * (size + padding) + padding
    grid = np.zeros((side, side), np.uint8)
    for row in range(columns):
        for column in range(columns):
            top, left = (padding + place * (size + padding) for place in (row, column))
            grid[top : top + size, left : left + size] = 10 * row + column + 1
    cut = np.asarray(samples.first_cells(Image.fromarray(grid), size))[:, :, 0]
    assert set(np.unique(cut)) - {0} == {1, 2, 11, 12}
    assert cut.shape == (2 * (size + padding) + padding,) * 2


def test_a_grid_of_unknown_make_gives_its_corner():
    cut = samples.first_cells(Image.new("L", (101, 77)), None)
    assert cut.size == (25, 25)


def test_a_few_grids_are_chosen_evenly_with_the_first_and_the_last(tmp_path):
    files = [tmp_path / f"step-{step}.png" for step in range(100)]
    chosen = evenly(files, 6)
    assert [files.index(file) for file in chosen] == [0, 20, 40, 59, 79, 99]
    assert evenly(files[:3], 6) == files[:3]


def test_eighteen_variants_differ_in_colour_and_marker_or_dashes_on_both_papers():
    labels = tuple(f"variant {number}" for number in range(18))
    for theme in (LIGHT, DARK):
        style = ChartStyle(theme, labels)
        assert len({style.colour(label) for label in labels}) == 18
        assert len({(style.marker(label), str(style.dashes(label))) for label in labels}) == 18


def test_markers_of_all_variants_cover_about_as_much_paper():
    labels = tuple(f"variant {number}" for number in range(13))
    style, covered = ChartStyle(LIGHT, labels), []
    for label in labels:
        figure = Figure(figsize=(1, 1), dpi=200)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        size = style.marker_size(label, 30)
        axes.plot(0, 0, style.marker(label), color="k", markersize=size, markeredgewidth=0)
        covered.append((np.asarray(render(figure)) < 128).sum())
    assert max(covered) < 1.08 * min(covered)


def test_charts_of_the_page_name_their_marks_and_have_the_colours_of_its_paper(tmp_path):
    results = gather([doubles.write(tmp_path, [doubles.result(), doubles.result("mlp")])])
    for drawn in all_charts.draw_all(results):
        if drawn.name == "samples":
            assert drawn.wide == drawn.narrow == ""
            continue
        for text in (drawn.wide, drawn.narrow):
            root = ElementTree.fromstring(text)
            assert root.get("aria-label") == drawn.caption
            named = {item.get("data-variant") for item in root.iter()} - {None}
            assert named == {"dcgan", "mlp"}
            assert LIGHT.palette[0] not in text
            assert "var(--chart-0)" in text or drawn.name == "phases"


def test_a_long_title_is_broken_and_not_cut():
    style = ChartStyle(LIGHT, ())
    title = (
        "A title that is much longer than the figure below it is wide, device and budget included"
    )
    with style.applied():
        figure = canvas(4.0, 2.0, title, "and how to read it", style)
        boxes = [text.get_window_extent() for text in figure.texts]
    said = " ".join(text.get_text() for text in figure.texts)
    assert said == f"{title} and how to read it"
    assert all(box.x1 <= figure.bbox.x1 and box.y0 >= 2.0 * figure.dpi for box in boxes)
    assert all(not one.overlaps(two) for one, two in pairwise(boxes))


def test_a_score_that_no_run_has_leaves_no_empty_panel(tmp_path):
    folder = doubles.write(tmp_path, [doubles.result()])
    (run,) = (folder / "runs").iterdir()
    rows = ("step,images_seen,seconds,fid,modes_covered,coverage", "1,64,1,9,,", "2,128,2,8,,")
    (run / "scores.csv").write_text("\n".join(rows), encoding="utf-8")
    (group,) = gather([folder]).groups
    style = ChartStyle(LIGHT, ("dcgan",))
    with style.applied():
        figure = over_training(group, style)
    assert len(figure.axes) == 3
    assert all(axes.lines for axes in figure.axes)


def test_class_names_that_no_font_can_draw_are_numbers(tmp_path):
    names = ["cat", chr(0x13000)]  # a hieroglyph
    shares = dict.fromkeys(names, 0.5)
    run = doubles.result(class_histogram={"real": shares, "fake": shares})
    (group,) = gather([doubles.write(tmp_path, [run], files=False)]).groups
    style = ChartStyle(LIGHT, ("dcgan",))
    with style.applied():
        (axes,) = class_histogram(group, style).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1"]


def test_of_many_close_points_names_stand_in_a_legend(tmp_path):
    runs = [
        doubles.result(f"variant-{n}", images_per_second=1000.0 + n, scores={"fid": 5.0 + n / 99})
        for n in range(18)
    ]
    results = gather([doubles.write(tmp_path, runs, files=False)])
    style = ChartStyle(LIGHT, tuple(results.labels))
    with style.applied():
        figure = tradeoff(results.groups[0], style)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == results.labels
    assert not figure.axes[0].texts


@pytest.mark.slow
def test_every_chart_can_be_drawn_of_odd_results(tmp_path):
    many = {str(index): 1 / 40 for index in range(40)}
    runs = [
        doubles.result("mlp", images_per_second=90000.0, scores={"fid": 0.0, "modes_total": 10.0}),
        doubles.result("dcgan", scores={"fid": 512.0, "memorisation": 1.4, "mode_kl": 0.0}),
        doubles.result("texthash", class_histogram={"real": many, "fake": {"3": 1.0}}),
        doubles.result("a-name-that-is-much-longer-than-the-others", steps=0, images_seen=0),
    ]
    folder = doubles.write(tmp_path, runs)
    head = "step,images_seen,seconds,fid,modes_covered,coverage"
    for run in (folder / "runs").iterdir():  # scores from next to nothing to huge, and one missing
        rows = (head, "1,64,0.001,1e6,0,0", "2,128,900,,10,1", "3,192,1800,0,10,1")
        (run / "scores.csv").write_text("\n".join(rows), encoding="utf-8")
        history = (run / "history.csv").read_text(encoding="utf-8").splitlines()
        scalars = [
            f"{history[0]},penalty",
            *(f"{row}," for row in history[1:-1]),
            f"{history[-1]},2",
        ]
        (run / "history.csv").write_text("\n".join(scalars), encoding="utf-8")
    results = gather([folder])
    (group,) = results.groups
    style = ChartStyle(LIGHT, tuple(results.labels))
    for chart in all_charts.CHARTS:
        assert draw(partial(chart.draw, group), style).width > 500


def test_names_of_close_points_are_apart_and_each_is_nearest_to_its_own(tmp_path):
    numbers = {
        "mlp": (15700.0, 6.4), "dcgan": (1210.0, 5.8), "texthash-naive": (1300.0, 6.0),
        "texthash": (960.0, 2.9), "dcgan-smooth": (645.0, 225.0),
    }  # fmt: skip
    runs = [
        doubles.result(variant, images_per_second=speed, scores={"fid": fid})
        for variant, (speed, fid) in numbers.items()
    ]
    results = gather([doubles.write(tmp_path, runs, files=False)])
    style = ChartStyle(LIGHT, tuple(results.labels))
    with style.applied():
        (axes,) = tradeoff(results.groups[0], style).axes
        boxes = {text.get_text(): text.get_window_extent() for text in axes.texts}
    points = {label: axes.transData.transform(point) for label, point in numbers.items()}
    assert set(boxes) == set(points)
    for label, box in boxes.items():
        assert box.count_overlaps([other for other in boxes.values() if other is not box]) == 0
        edges = {name: np.clip(point, box.min, box.max) for name, point in points.items()}
        gaps = {name: np.hypot(*(point - edges[name])) for name, point in points.items()}
        assert min(gaps, key=gaps.get) == label
        assert gaps[label] > 0


def test_the_losses_of_a_diverged_run_are_shown_and_end_where_they_are_no_numbers(tmp_path):
    diverged = doubles.result(status="diverged", reason="d_loss is nan", scores={})
    doubles.write(tmp_path, [diverged])
    (run,) = (tmp_path / "runs").iterdir()
    doubles.write_history(run / "history.csv", diverged)
    with (run / "history.csv").open("a") as file:
        file.write("9999,1,1,1,nan,inf,,,,,,\n")
    frame = read_history(run / "history.csv")
    assert frame["d_loss"].isna().sum() == 1
    results = gather([tmp_path])
    assert [drawn.file for drawn in all_charts.draw_all(results)] == ["losses-mnist.png"]
