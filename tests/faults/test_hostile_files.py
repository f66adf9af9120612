"""Files that other people or programs have written, or damaged: one line each, never a traceback.

Each test changes files that are valid, at random, and says at its end how many of the changed files
were refused.
"""

from __future__ import annotations

import io
import json
import pickle
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import results_doubles as doubles
import torch
from hostile import changed, damaged, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ganbench.errors import DataError, UsageError
from ganbench.experiment.load_trained import load_trained
from ganbench.experiment.store import ResultsFolder, StoredRun
from ganbench.experiment.suite import Suite, read_suite
from ganbench.machine.device import choose
from ganbench.report.charts.all_charts import draw_all
from ganbench.report.content import content_of
from ganbench.report.damaged import damaged_tables
from ganbench.report.gather import gather
from ganbench.report.readme import page, readme
from ganbench.report.references import references_csv
from ganbench.report.tables import runs_csv, summary_csv
from ganbench.report.terminal import summary_of
from ganbench.scoring.backbones.inception import obtain_inception
from ganbench.training.state import TrainState
from ganbench.variant.definition import DatasetSpec
from ganbench.variant.registry import resolve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

QUIET = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)
OVER_TRAINING = {
    "evaluations": 2, "chosen_by": "fid", "protocol": "abc",
    "protocol_fields": {"fake_count": 1000, "backbone": "classifier"},
    "last": {"step": 4, "epoch": 1.0, "images_seen": 64, "seconds": 1.0, "scores": {"fid": 2.0}},
    "best": {"step": 2, "epoch": 0.5, "images_seen": 32, "seconds": 0.5, "scores": {"fid": 1.0}},
    "gap": 1.0,
    "collapsed": {"step": 2, "epoch": 0.5, "images_seen": 32, "seconds": 0.5, "from_start": True,
                  "most": 3.0, "total": 10.0},
}  # fmt: skip
REFERENCES = {
    "held-out real images": {"images": 1000, "scores": {"fid": 0.1, "recall": 0.9}},
    "noise": {"images": 1000, "scores": {"fid": 900.0, "recall": 0.0}},
}


def one_line(error: Exception) -> bool:
    return bool(str(error)) and "\n" not in str(error)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs; the second one is left as it is."""
    path = tmp_path_factory.mktemp("hostile") / "results"
    first = doubles.result(
        over_training=OVER_TRAINING, references=REFERENCES, notes=("few images",),
        dataset_fields={"name": "mnist", "class_names": list(doubles.CLASSES), "kind": "image"},
    )  # fmt: skip
    doubles.write(path, [first, doubles.result("mlp"), doubles.result("mlp", 1)], files=False)
    return path


def text_of_report(path: Path) -> str:
    """All of a report but its charts."""
    results = gather([path])
    content = content_of(results, "fid")
    parts = [readme(content, [], path), page(content, []), runs_csv(results), summary_csv(results)]
    summary_of(path)
    return "".join([*parts, references_csv(results) or ""])


def change_and_report(path: Path, file: Path, content: str, counts: dict[str, int]) -> None:
    """Replace a file; a report names it or can be written with it, and the other run is there."""
    before = file.read_bytes()
    file.write_text(content, encoding="utf-8")
    try:
        notes = gather([path]).notes
        text = text_of_report(path)
    finally:
        file.write_bytes(before)
    assert "mlp" in text
    text.encode()  # no half of a surrogate pair is left
    refused = any(str(file) in note for note in notes)
    assert all("\n" not in note for note in notes)
    counts["refused"] += refused
    counts["all"] += 1


def test_a_report_names_a_hostile_record_or_is_written_with_it(folder, figure):
    counts = {"refused": 0, "all": 0}
    (file,) = folder.glob("runs/dcgan-*/result.json")

    @settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
    @given(changed(json.loads(file.read_text())))
    def check(values: Any) -> None:
        change_and_report(folder, file, json.dumps(values), counts)

    check()
    figure(counts["refused"], counts["all"], "changed records were refused by name")
    assert counts["refused"] > counts["all"] / 10


def test_a_report_names_a_hostile_plan_or_is_written_with_it(folder, figure):
    counts = {"refused": 0, "all": 0}
    file = folder / "plan.json"

    @settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
    @given(changed(json.loads(file.read_text())))
    def check(values: Any) -> None:
        change_and_report(folder, file, json.dumps(values), counts)

    check()
    figure(counts["refused"], counts["all"], "changed plans were refused by name")
    assert counts["refused"] > counts["all"] / 10


@pytest.mark.parametrize("text", ["", "[" * 100_000, "null", "{", '{"schema": 1e999}', "\ud800"])
def test_a_record_that_is_no_json_object_is_refused_by_name(folder, text):
    counts = {"refused": 0, "all": 0}
    (file,) = folder.glob("runs/dcgan-*/result.json")
    before = file.read_bytes()
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        assert any(str(file) in note for note in gather([folder]).notes)
    finally:
        file.write_bytes(before)
    assert gather([folder]).notes == ()
    assert counts["all"] == 0


def test_charts_are_drawn_beside_hostile_records_and_tables(tmp_path, figure):
    counts = {"refused": 0, "all": 0}
    whole = doubles.write(
        tmp_path / "whole",
        [doubles.result(over_training=OVER_TRAINING), doubles.result("mlp"), doubles.failed()],
    )
    (run,) = whole.glob("runs/dcgan-mnist-s0-a*")
    history = run / "history.csv"
    history.write_text("\n".join(history.read_text().splitlines()[:6]))
    scores = run / "scores.csv"
    scores.write_text(
        "step,epoch,images_seen,seconds,fid,modes_covered\n1,1,64,1,9,3\n2,2,128,2,4,9\n"
    )

    @settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
    @given(
        changed(json.loads((run / "result.json").read_text())),
        damaged(history.read_bytes()),
        damaged(scores.read_bytes()),
        damaged((run / "samples" / "step-0000500.png").read_bytes()[:400]),
    )
    def check(record: Any, first: bytes, second: bytes, picture: bytes) -> None:
        copied = tmp_path / "copy"
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(whole, copied)
        changed_run = copied / "runs" / run.name
        (changed_run / "result.json").write_text(json.dumps(record))
        (changed_run / "history.csv").write_bytes(first)
        (changed_run / "scores.csv").write_bytes(second)
        (changed_run / "samples" / "step-0000500.png").write_bytes(picture)
        results = gather([copied])
        names = {chart.file.partition("-")[0] for chart in draw_all(results)}
        assert {"losses", "samples"} <= names  # of the other run at least
        counts["refused"] += bool((*results.notes, *damaged_tables(results)))
        counts["all"] += 1

    check()
    figure(counts["refused"], counts["all"], "changed folders had files that were named")


def test_a_sample_of_a_hostile_run_is_refused_in_one_line_or_drawn(tmp_path, figure):
    counts = {"refused": 0, "all": 0}
    (resolved,) = resolve(["mlp"])
    spec = DatasetSpec("digits", 1, 8, doubles.CLASSES, 100, 100)
    recipe = resolved.variant.recipe.override({"image_size": 8, "dataset": "digits"})
    device = choose("cpu")
    state = TrainState.create(resolved.variant, recipe, spec, device.torch, 0)
    record = doubles.result(
        "mlp", dataset="digits", request="mlp", recipe=recipe.model_dump(),
        source_hash=resolved.source_hash, dataset_fields=spec.fields,
    )  # fmt: skip
    stored = ResultsFolder(tmp_path).finish(record)
    torch.save({"networks": state.state_dict()}, stored.checkpoint)
    load_trained(StoredRun.read(stored.path), device)  # as it is, it can be sampled
    valid = json.loads((stored.path / "result.json").read_text())
    kept = {"recipe", "dataset_fields", "request", "variant", "source_hash", "status", "seed"}
    core = {name: item for name, item in valid.items() if name in kept}

    @settings(max_examples=100, deadline=None, suppress_health_check=QUIET)
    @given(changed(core))
    def check(values: Any) -> None:
        rest = {name: item for name, item in valid.items() if name not in kept}
        (stored.path / "result.json").write_text(json.dumps({**rest, **values}))
        try:
            load_trained(StoredRun.read(stored.path), device)
        except UsageError as error:
            assert one_line(error)  # noqa: PT017 - either outcome is right
            counts["refused"] += 1
        counts["all"] += 1

    check()
    figure(counts["refused"], counts["all"], "changed runs were refused in one line")


def pickles() -> st.SearchStrategy[bytes]:
    saved = io.BytesIO()
    torch.save({"weight": torch.zeros(3)}, saved)
    old = pickle.dumps({"weight": [1, 2, 3], "names": ("a", "b")})
    return st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(str.encode),
        damaged(saved.getvalue()),
        damaged(old),
        st.just(saved.getvalue()),
    )


def test_weights_of_any_content_are_refused_in_one_line(tmp_path, figure):
    counts = {"refused": 0, "all": 0}
    file = tmp_path / "weights.pth"

    @settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
    @given(pickles())
    def check(content: bytes) -> None:
        file.write_bytes(content)
        with pytest.raises(DataError, match="does not hold inception weights") as caught:
            obtain_inception(file, tmp_path, lambda *_: None)
        assert one_line(caught.value)
        counts["refused"] += 1
        counts["all"] += 1

    check()
    figure(counts["refused"], counts["all"], "weights files were refused in one line")


def test_a_suite_of_any_text_is_read_or_refused_in_one_line(tmp_path, figure):
    counts = {"refused": 0, "all": 0}
    file = tmp_path / "suite.yaml"
    valid = b"variants: [mlp, dcgan]\nseeds: 3\nset: {lr_g: 0.1}\ndata_root: ~/x\njobs: 2\n"
    entries = st.dictionaries(st.sampled_from([*Suite.model_fields]), values(), max_size=3)

    @settings(max_examples=300, deadline=None, suppress_health_check=QUIET)
    @given(st.one_of(damaged(valid), entries.map(lambda some: json.dumps(some).encode())))
    def check(content: bytes) -> None:
        file.write_bytes(content)
        try:
            read_suite(file, {})
        except UsageError as error:
            assert one_line(error)  # noqa: PT017 - either outcome is right
            counts["refused"] += 1
        counts["all"] += 1

    check()
    figure(counts["refused"], counts["all"], "suites were refused in one line")
