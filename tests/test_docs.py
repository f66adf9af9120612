"""Pages of the documentation say what the code and the published results say."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import typer

from ganbench.cli.app import app
from ganbench.scoring.metrics.catalogue import METRICS

ROOT = Path(__file__).parents[1]
METRICS_PAGE = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
BEST = {"lower": "low", "higher": "high", "one": "1"}


def test_every_score_has_its_row_with_what_is_better():
    rows = dict(re.findall(r"^\| `(\w+)` \| (low|high|1) \|", METRICS_PAGE, re.MULTILINE))
    others = set(re.findall(r"`(\w+)`", METRICS_PAGE)) - set(rows)
    for metric in METRICS:
        assert metric.name in others or rows[metric.name] == BEST[metric.direction], metric.name


def test_what_scores_see_is_what_the_published_self_test_found():
    published = ROOT / "results/2026-11-26_cpu_selftest-mnist/verdicts.csv"
    found: dict[str, dict[str, set[str]]] = {}
    with published.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["generator"] != "unseen":  # which has no fault
                verdicts = found.setdefault(row["metric"], {})
                verdicts.setdefault(row["verdict"], set()).add(row["generator"])
    table = re.findall(
        r"^\| `(\w+)` \| (?:low|high|1) \|[^|]*\|(.*)\|$", METRICS_PAGE, re.MULTILINE
    )
    assert {name for name, _ in table} == set(found)
    for name, cells in table:
        for kind, cell in zip(("sees", "blind", "misled", "varies"), cells.split("|"), strict=True):
            assert set(re.findall(r"\w+", cell)) == found[name].get(kind, set()), (name, kind)


def test_links_of_the_documentation_lead_somewhere():
    for page in sorted((ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_each_command_has_a_page_that_names_its_flags():
    for command in typer.main.get_command(app).commands.values():
        page = (ROOT / f"docs/{command.name}.md").read_text(encoding="utf-8")
        assert f"ganbench {command.name}" in page
        for parameter in command.params:
            names = [*parameter.opts, *parameter.secondary_opts]
            names = [name for name in names if name.startswith("--") and name != "--help"]
            assert not names or any(name in page for name in names), (command.name, names)
