"""Names from outside in the files of a report: text, whatever they hold."""

from __future__ import annotations

import dataclasses
import html as html_module
import io
import re
import shutil

import pandas as pd
import pytest
import results_doubles as doubles
from markdown_it import MarkdownIt
from matplotlib.figure import Figure
from PIL import Image
from rich.console import Console

from ganbench.errors import UsageError
from ganbench.experiment.store import StoredRun
from ganbench.report import build, summary_table
from ganbench.report.charts.style import LIGHT, ChartStyle, draw

NAME = "=x|`*[a](b) <b> $y$ \x1b[2J \udcff"


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    path = tmp_path_factory.mktemp("strange")
    record = doubles.result("dcgan", run_id="one", dataset="mnist")
    build([doubles.write(path, [dataclasses.replace(record, variant=NAME)], files=False)])
    return path


def test_a_strange_name_is_text_in_markdown(strange):
    html = MarkdownIt("commonmark").enable("table").render((strange / "README.md").read_text())
    shown = html_module.unescape(re.sub("<[^>]*>", "", html))
    assert r"=x|`*[a](b) <b> $y$ \x1b[2J \udcff" in shown
    assert 'href="b"' not in html
    assert "<b>" not in html


def test_a_strange_name_is_text_in_html(strange):
    html = (strange / "report.html").read_text()
    assert "<b> $y$" not in html
    assert "&lt;b&gt; $y$" in html
    assert "\x1b" not in html


def test_a_name_that_begins_like_a_formula_is_text_in_a_csv(strange):
    for name in ("runs.csv", "summary.csv"):
        assert pd.read_csv(strange / name)["variant"][0].startswith("'=x")


def test_links_are_replaced_or_refused_and_nothing_is_written_or_removed_elsewhere(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    mine = outside / "quality-mine.png"
    mine.write_bytes(b"mine")
    path = doubles.write(tmp_path / "results", [doubles.result()], files=False)
    (path / "charts").symlink_to(outside)
    with pytest.raises(UsageError, match="is a link"):
        build([path])
    assert list(outside.iterdir()) == [mine]

    (path / "charts").unlink()
    (path / "charts").mkdir()
    (path / "charts" / "quality-mnist.png").symlink_to(mine)
    (path / "runs.csv").unlink(missing_ok=True)
    (path / "runs.csv").symlink_to(mine)
    build([path])
    assert mine.read_bytes() == b"mine"
    assert not (path / "charts" / "quality-mnist.png").is_symlink()


def test_what_links_lead_to_does_not_appear_in_a_report(tmp_path):
    secret, picture = tmp_path / "secret.txt", tmp_path / "mine.png"
    secret.write_text("a private text", encoding="utf-8")
    Image.new("RGB", (64, 64), (255, 0, 0)).save(picture)
    path = doubles.write(tmp_path / "results", [doubles.result()])
    (path / "notes.md").symlink_to(secret)
    (run,) = (path / "runs").iterdir()
    for grid in (run / "samples").glob("*.png"):
        grid.unlink()
        grid.symlink_to(picture)
    build([path])
    text = (path / "README.md").read_text(encoding="utf-8")
    assert "a private text" not in text
    assert "notes.md is a link" in text
    assert "mine.png" not in text
    assert "image/webp" not in (path / "report.html").read_text(encoding="utf-8")
    assert not StoredRun.read(run).samples

    moved = run / "moved"
    moved.mkdir()
    (moved / "step-1.png").write_bytes(picture.read_bytes())
    shutil.rmtree(run / "samples")
    (run / "samples").symlink_to(moved)
    assert not StoredRun.read(run).samples


def test_markup_in_a_name_is_shown_on_the_terminal(strange):
    screen = Console(file=io.StringIO(), width=200)
    screen.print(summary_table(strange))
    text = screen.file.getvalue()
    assert NAME[:11] in text
    assert "\x1b" not in text


def test_a_dollar_in_a_chart_is_a_dollar_and_a_sign_without_a_glyph_is_no_warning():
    widths = []

    def chart(text):
        def figure(_style):
            made = Figure()
            label = made.text(0, 0, text)
            widths.append(label.get_window_extent().width)
            return made

        return figure

    style = ChartStyle(LIGHT, ())
    for text in ("$x$", "xx", "名前"):
        assert draw(chart(text), style) is not None
    assert widths[0] > widths[1]  # as a formula it would be one letter wide
