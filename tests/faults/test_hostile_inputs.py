"""What people type, and name their folders: any text is taken, or refused in one line."""

from __future__ import annotations

import io
import json
import math
import os
import shutil
from pathlib import Path

import pytest
import results_doubles as doubles
import torch
from hostile import changed, damaged, texts, thorough, values
from hypothesis import given
from hypothesis import strategies as st
from launch_doubles import planned
from PIL import Image

from ganbench import data, text
from ganbench.errors import UsageError
from ganbench.experiment import plan
from ganbench.experiment.repeat import differences, suite_values
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import ResultsFolder, StoredRun
from ganbench.experiment.suite import read_suite
from ganbench.launch.local import check_folder, choose_folder
from ganbench.report.comparison.compare import compare
from ganbench.report.recorded import read_history, read_score_rows, read_scores
from ganbench.selftest import work
from ganbench.variant.definition import DatasetSpec
from ganbench.variant.registry import resolve

pytestmark = pytest.mark.slow


def one_line(error):
    return bool(str(error)) and "\n" not in str(error)


class Count:
    """Counts what is refused, each time in one line."""

    def __init__(self) -> None:
        self.refused = self.all = 0

    def run(self, function, *arguments):
        """The function's value; None where it refuses, which it has to do in one line."""
        self.all += 1
        try:
            return function(*arguments)
        except UsageError as error:
            assert one_line(error)  # noqa: PT017 - either outcome is right
            self.refused += 1
            return None


@pytest.fixture
def count(figure):
    counted = Count()
    yield counted
    figure(counted.refused, counted.all, "inputs were refused in one line, the others were taken")


def names_of_recipes():
    return sorted(
        {
            name
            for one in resolve(["mlp", "dcgan", "stylegan2", "acgan"])
            for name in type(one.variant.recipe).model_fields
        }
    )


def test_settings_of_any_text_are_taken_or_refused(count):
    keys = st.one_of(st.sampled_from(names_of_recipes()), texts())

    @thorough(400)
    @given(st.sampled_from(["mlp", "dcgan", "stylegan2", "acgan"]), keys, texts())
    def check(variant, key, value):
        made = count.run(lambda: planned(variants=(variant,), set=(f"{key}={value}",)))
        if made is not None:
            numbers = [n for n in made.jobs[0].recipe.values() if isinstance(n, float)]
            assert all(map(math.isfinite, numbers))

    check()


def test_flags_of_any_text_are_taken_or_refused(count, tmp_path):
    flags = ["variants", "dataset", "seeds", "budget", "sample_every", "evaluate_every", "backbone",
             "device", "precision"]  # fmt: skip

    @thorough(400)
    @given(st.dictionaries(st.sampled_from(flags), texts(), min_size=1, max_size=2))
    def check(given_flags):
        usual = {"variants": "mlp", "dataset": "digits", "budget": "2steps"}

        def use():
            suite = read_suite(None, {**usual, **given_flags})
            return plan.make(suite, device="cpu", data_root=tmp_path, cache_root=tmp_path)

        count.run(use)

    check()


def folder_names():
    """Names that a file system takes."""
    allowed = texts().map(lambda name: name.replace("/", "-").replace("\0", "0")[:60])
    return allowed.filter(lambda name: name not in {"", ".", ".."} and can_be_named(name))


def can_be_named(name):
    return "\ud800" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)


def test_class_folders_of_any_name_are_read_or_named(count, tmp_path):
    picture = io.BytesIO()
    Image.new("L", (8, 8), 99).save(picture, "png")

    @thorough(150)
    @given(st.lists(folder_names(), min_size=1, max_size=3, unique_by=str.lower))
    def check(names):
        root = tmp_path / "pictures"
        shutil.rmtree(root, ignore_errors=True)
        for name in names:
            (root / name).mkdir(parents=True)
            for number in range(12):
                (root / name / f"{number}.png").write_bytes(picture.getvalue())
        for latin in (False, True):
            if latin:  # a name that is not UTF-8
                odd = Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9"))
                odd.mkdir()
                (odd / "0.png").write_bytes(picture.getvalue())

            def use():
                spec = data.describe(f"imagefolder:{root}", tmp_path)
                notes = data.notes(f"imagefolder:{root}", tmp_path)
                assert all("\n" not in note for note in notes)
                assert len(spec.captions) == len(spec.class_names)
                assert all(vector_is_sane(caption) for caption in spec.captions)
                planned(dataset=f"imagefolder:{root}")

            count.run(use)

    check()


def vector_is_sane(words):
    hashed = text.signed_hash_vector(words, 16)
    return hashed.shape == (16,) and bool(torch.isfinite(hashed).all())


def test_captions_and_prompts_of_any_text_are_hashed():
    @thorough(400)
    @given(texts(), texts())
    def check(caption, name):
        assert vector_is_sane(caption)
        assert torch.isfinite(text.naive_hash_vector(caption, 16)).all()
        spec = DatasetSpec("x", 1, 8, (name, "other"), 10, 10)
        assert len(spec.captions) == 2
        assert all(word == word.lower() for word in spec.vocabulary)

    check()


def test_picture_files_of_any_content_are_decoded_or_named(count, tmp_path):
    kinds = {}
    for kind in ("png", "bmp", "gif", "tiff", "jpeg", "webp"):
        made = io.BytesIO()
        Image.effect_noise((8, 8), 60).save(made, kind)
        kinds[kind] = made.getvalue()
    given_places = {"data_root": tmp_path, "cache_root": tmp_path / "cache"}
    root = tmp_path / "pictures"
    for number in range(24):
        folder = root / f"class {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(kinds["png"])
    picture = st.sampled_from(sorted(kinds)).flatmap(
        lambda kind: st.tuples(st.just(kind), damaged(kinds[kind]))
    )

    @thorough(200)
    @given(picture)
    def check(odd):
        kind, content = odd
        file = root / "class 0" / f"odd.{kind}"
        file.write_bytes(content)
        try:
            read = count.run(lambda: data.load(f"imagefolder:{root}", image_size=8, **given_places))
            assert read is None or read.train.images.dtype == torch.uint8
        finally:
            file.unlink()

    check()


def test_plans_of_any_content_are_read_or_named_by_a_command(count, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = planned()
    folder = ResultsFolder(tmp_path / "results" / "x")
    doubles.write(folder.path, [doubles.result("mlp")], files=False)
    valid = json.loads(folder.plan_file.read_text())

    @thorough(300)
    @given(st.one_of(changed(valid).map(json.dumps), values().map(json.dumps), texts()))
    def check(content):
        folder.plan_file.write_bytes(content.encode(errors="surrogatepass"))
        count.run(lambda: check_folder(folder, made, fresh=False))
        count.run(lambda: choose_folder(folder.path, made, "cpu"))

    check()


def test_runs_of_any_content_are_repeated_or_refused(count, tmp_path):
    (job,) = planned().jobs
    record = doubles.result(
        "mlp", dataset="digits", request="mlp", recipe=job.recipe, source_hash=job.source_hash,
        asked={"backbone": "auto", "evaluate_every": "2steps", "precision": "fp32"},
    )  # fmt: skip
    path = tmp_path / "run"
    path.mkdir()
    valid = json.loads(record.to_json())
    some = {
        "recipe",
        "asked",
        "request",
        "variant",
        "dataset",
        "seed",
        "budget",
        "device",
        "backbone",
    }
    core = {name: item for name, item in valid.items() if name in some}

    @thorough(300)
    @given(changed(core))
    def check(changes):
        rest = {name: item for name, item in valid.items() if name not in some}
        (path / "result.json").write_text(json.dumps({**rest, **changes}))

        def use():
            stored = StoredRun.read(path).result
            suite = read_suite(None, suite_values(stored))
            made = plan.make(suite, device="cpu", data_root=tmp_path, cache_root=tmp_path)
            differences(stored, made)

        count.run(use)

    check()


def test_tables_of_any_content_are_read_or_left_out(tmp_path):
    doubles.write_history(tmp_path / "history.csv", doubles.result("mlp"))
    history = (tmp_path / "history.csv").read_bytes()[:1500]
    scores = b"step,epoch,images_seen,seconds,fid,modes_covered\n1,1,64,1,9,3\n2,2,128,2,4,9\n"
    file = tmp_path / "table.csv"

    @thorough(400)
    @given(st.one_of(damaged(history), damaged(scores), st.binary(max_size=100)))
    def check(content):
        file.write_bytes(content)
        for reader in (read_history.__wrapped__, read_scores.__wrapped__):
            frame = reader(file)
            assert frame is None or (frame["step"] >= 0).all()
        for row in read_score_rows(file):
            assert all(value is None or not math.isnan(value) for value in row.values())

    check()


def test_self_tests_of_any_content_are_known_or_refused(count, tmp_path):
    valid = {"settings": {"dataset": "digits", "backbone": "auto", "images": None, "draws": 5}}
    file = tmp_path / "selftest.json"

    @thorough(300)
    @given(st.one_of(changed(valid).map(json.dumps), values().map(json.dumps), texts()))
    def check(content):
        file.write_bytes(content.encode(errors="surrogatepass"))
        count.run(lambda: work._folder(tmp_path, "x", valid["settings"]))

    check()


def test_hostile_records_are_compared_or_refused(count, tmp_path):
    first = doubles.write(
        tmp_path / "a", [doubles.result("mlp", seed) for seed in (0, 1)], files=False
    )
    other = doubles.write(
        tmp_path / "b", [doubles.result("mlp", seed) for seed in (0, 1)], files=False
    )
    file = next(iter(sorted(first.glob("runs/*/result.json"))))
    valid = json.loads(file.read_text())

    @thorough(60)
    @given(changed(valid))
    def check(content):
        file.write_text(json.dumps(content))
        count.run(lambda: compare(first, other).to_json())

    check()


def test_a_record_in_any_json_is_read_or_refused_as_a_value():
    valid = json.loads(doubles.result("mlp").to_json())

    @thorough(400)
    @given(st.one_of(changed(valid).map(json.dumps), texts()))
    def check(content):
        try:
            RunResult.from_json(content)
        except ValueError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is right

    check()
