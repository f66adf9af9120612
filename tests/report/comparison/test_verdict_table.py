"""The table of `ganbench compare` on the terminal."""

from __future__ import annotations

import io
import re

import pytest
import results_doubles as doubles
from rich.console import Console

from ganbench.report.comparison.compare import compare
from ganbench.report.comparison.verdict_table import verdict_tables


def folder(path, shift, seeds=5):
    runs = []
    for seed in range(seeds):
        scores = {"fid": 10 + shift + seed**2 / 9, "recall": 0.5 + 0.01 * seed * shift}
        scores |= {"modes_covered": 10.0, "modes_total": 10.0}
        runs.append(doubles.result(seed=seed, scores=scores))
    return doubles.write(path, runs, files=False)


def printed(comparison, width):
    screen = io.StringIO()
    Console(file=screen, width=width).print(verdict_tables(comparison))
    return screen.getvalue()


@pytest.fixture
def comparison(tmp_path):
    return compare(folder(tmp_path / "old", 0.0), folder(tmp_path / "new", 3.0))


@pytest.mark.parametrize("width", [80, 120])
def test_every_score_is_shown_with_all_its_numbers_within_the_width(comparison, width):
    text = printed(comparison, width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    for part in (
        "A: dcgan in old", "B: dcgan in new", "on mnist, 5 seeds", "FID", "10.7", "13.7",
        "95% interval", "< 0.001", "worse", "primary", "secondary", "cost", "not resolved",
    ):  # fmt: skip
        assert part in text
    flat = " ".join(text.split())
    assert "primary, FID (classifier): 1 test; secondary, 2 other scores: 2 tests" in flat
    assert "excludes 0 exactly where B is better or worse" in flat


def test_each_row_shows_the_corrected_p_value_below_the_raw_one(comparison):
    recall = next(item for item in comparison.verdicts if item.score == "recall")
    assert recall.p_value < recall.p_holm
    lines = printed(comparison, 120).splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("Recall"))
    for line, p in zip(lines[place:], (recall.p_value, recall.p_holm), strict=False):
        assert re.search(rf"\s{p:.3}0*\s", line)


def test_seeds_without_a_partner_are_named_below_the_table(tmp_path):
    comparison = compare(folder(tmp_path / "a", 0.0, 3), folder(tmp_path / "b", 1.0, 2))
    text = " ".join(printed(comparison, 80).split())
    assert "2 seeds" in text
    assert "seed 2 of dcgan in a has no partner; compared on the 2 seeds that both have" in text


def test_a_long_name_is_broken_at_its_hyphen_and_not_within_a_word(tmp_path):
    for name, share in (("old", 0.1), ("new", 0.3)):
        runs = [
            doubles.result(seed=seed, scores={"fid": 9.0 + seed, "duplicates": share})
            for seed in range(3)
        ]
        doubles.write(tmp_path / name, runs, files=False)
    text = printed(compare(tmp_path / "old", tmp_path / "new"), 80)
    assert {"Near-", "duplicates"} <= set(text.replace("\u00a0", " ").split())
