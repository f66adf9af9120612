"""Trackers of a run: what they are given, that they change nothing, and runs that go on."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from launch_doubles import planned, resources, said
from tracker_doubles import FAILING, calls, install_doubles

from ganbench.launch.run_job import run_job
from ganbench.machine.interrupt import Stopped

pytestmark = pytest.mark.usefixtures("digits_backbone")

DOCS = Path(__file__).parents[2] / "docs"
STOPS = '''"""Asks its process to stop at the third step, once."""
import os, pathlib, signal
import ganbench
from ganbench.variants import mlp

ASKED = pathlib.Path(__file__).with_suffix(".asked")

def objectives(recipe, dataset):
    usual = ganbench.losses.bce(recipe, dataset)
    def d_loss(discriminator, real, fake, context):
        if context.step == 3 and not ASKED.exists():
            ASKED.touch()
            os.kill(os.getpid(), signal.SIGTERM)
        return usual.d_loss(discriminator, real, fake)
    return ganbench.Losses(d_loss, usual.g_loss)

VARIANT = ganbench.Variant(
    title="Stops", paper="", recipe=ganbench.Recipe(image_size=28),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=objectives,
)
'''


@pytest.fixture
def tracked(tmp_path, cache_root, install, monkeypatch):
    """What a job needs that some of the tests' trackers follow."""
    install_doubles(install, monkeypatch)

    def needed(*track):
        needed = resources(tmp_path, cache_root)
        needed.track = track
        return needed

    return needed


def history(run):
    with (run.path / "history.csv").open(encoding="utf-8") as file:
        return [(int(row["step"]), float(row["d_loss"])) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_tracker_is_given_what_is_stored_of_the_run(tracked):
    (job,) = planned(budget="4steps", evaluate_every="2steps").jobs
    needed = tracked("lines")
    run = run_job(job, needed)
    given = calls(needed.folder.path)
    assert (given[0], given[-1][:4]) == (["open", 0], ["end", "ok", "", 4])
    scalars = [call for call in given if call[0] == "scalars"]
    losses = [
        (step, row["training/d_loss"]) for _, step, row in scalars if "training/d_loss" in row
    ]
    assert [step for step, _ in losses] == [step for step, _ in history(run)]
    stored = [loss for _, loss in history(run)]  # six digits of each
    assert [loss for _, loss in losses] == pytest.approx(stored, rel=1e-5)
    scores = [(step, row["scores/fid"]) for _, step, row in scalars if "scores/fid" in row]
    with (run.path / "scores.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [step for step, _ in scores] == [int(row["step"]) for row in rows] == [2, 4]
    assert [fid for _, fid in scores] == pytest.approx(
        [float(row["fid"]) for row in rows], rel=1e-5
    )
    values = given[-1][4]
    assert values["fid"] == run.result.scores["fid"]
    assert values["images_per_second"] == run.result.images_per_second
    pictures = [call[1:] for call in given if call[0] == "picture"]
    png = b"\x89PNG".hex()
    assert pictures == [[4, "generated", png], [4, "real-and-generated", png]]


@pytest.mark.slow
def test_trackers_that_fail_wherever_they_may_are_one_warning_each_and_change_no_bit(
    tracked, tmp_path, cache_root
):
    (job,) = planned().jobs
    plain = run_job(job, resources(tmp_path / "plain", cache_root)).result
    needed = tracked(*FAILING, "lines")
    result = run_job(job, needed).result
    assert (result.status, result.scores) == ("ok", plain.scores)
    warnings = [line for line in said(needed.display).splitlines() if "warning" in line]
    named = [re.findall(r"the tracker ([\w-]+) has failed", line) for line in warnings]
    assert sorted(named) == sorted([name] for name in FAILING)
    assert calls(needed.folder.path)[-1][1] == "ok"


@pytest.mark.slow
def test_a_run_that_goes_on_gives_each_step_once_or_all_from_the_first(tracked, tmp_path):
    file = tmp_path / "stops.py"
    file.write_text(STOPS, encoding="utf-8")
    (job,) = planned(variants=(str(file),), budget="5steps").jobs
    needed = tracked("keeps", "lines")
    with pytest.raises(Stopped):
        run_job(job, needed)
    assert run_job(job, needed).result.status == "ok"

    def told(tracker):
        """Steps of the losses, and where the tracker's processes began and ended."""
        given = calls(needed.folder.path, tracker)
        return [call[1] for call in given if call[0] != "picture"]

    assert told("Keeps") == [0, 1, 2, 3, "interrupted", 3, 4, 5, "ok"]
    assert told("Lines") == [0, 1, 2, 3, "interrupted", 3, 1, 2, 3, 4, 5, "ok"]


@pytest.mark.slow
def test_the_tracker_of_the_docs_writes_the_scores_of_a_run(
    tmp_path, cache_root, install, monkeypatch
):
    page = (DOCS / "trackers.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (name,) = re.findall(r"save it as `(\w+\.py)`", page)
    ((point, value),) = re.findall(r"^([\w-]+) = \"(\w+:\w+)\"$", page, flags=re.MULTILINE)
    folder = install({point: value}, {name: code}, group="ganbench.trackers")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    needed = resources(tmp_path, cache_root)
    needed.track = (point,)
    (job,) = planned().jobs
    result = run_job(job, needed).result
    assert "warning" not in said(needed.display)
    with (needed.folder.path / "score_book.csv").open(encoding="utf-8") as file:
        rows = {row[2]: row[3] for row in csv.reader(file)}
    assert float(rows["fid"]) == result.scores["fid"]
    assert float(rows["d_loss"]) > 0
