"""A results folder from elsewhere is data: it does not decide what code is run."""

from __future__ import annotations

import dataclasses

import pytest
import results_doubles as doubles
from command_line import ganbench, one_line

from ganbench.errors import UsageError
from ganbench.experiment.repeat import suite_values
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.trusted import trusted_request
from ganbench.variant import source


@pytest.fixture
def foreign(tmp_path):
    """A run of a file that leaves a trace where it is run."""
    file = tmp_path / "mine.py"
    file.write_text(f"open({str(tmp_path / 'trace')!r}, 'w').close()\n")
    record = doubles.result(
        "mine", request=str(file), source_hash=source.identity(file), dataset="digits"
    )
    run = ResultsFolder(tmp_path / "results").finish(record)
    run.checkpoint.write_bytes(b"weights")
    return run, file, tmp_path / "trace"


@pytest.mark.parametrize("command", [["sample"], ["run", "--dry-run", "--from"]])
def test_a_file_that_only_the_folder_names_is_not_run(foreign, capsys, command):
    run, file, trace = foreign
    assert ganbench(*command, run.path) == 2
    assert f"--variants {file}" in one_line(capsys)
    assert not trace.exists()


@pytest.mark.parametrize("command", [["sample"], ["run", "--dry-run", "--from"]])
def test_a_named_file_that_is_not_what_it_was_is_not_run(foreign, capsys, command):
    run, file, trace = foreign
    file.write_text(file.read_text() + "# changed\n")
    assert ganbench(*command, run.path, "--variants", file) == 2
    assert run.result.source_hash in one_line(capsys)
    assert not trace.exists()


def test_a_named_file_that_is_what_it_was_is_run(foreign, capsys):
    run, file, trace = foreign
    assert ganbench("sample", run.path, "--variants", file) == 2  # it defines no VARIANT
    assert "it defines no VARIANT" in one_line(capsys)
    assert trace.exists()


def test_an_installed_variant_is_found_by_its_name_and_a_file_of_another_is_refused(foreign):
    run, file, _ = foreign
    installed = dataclasses.replace(run, result=doubles.result("mlp", request="mlp"))
    assert trusted_request(installed, ()) == "mlp"
    with pytest.raises(UsageError, match="names no file of it"):
        trusted_request(installed, (str(file),))


def test_a_stored_run_says_nothing_of_a_command_but_what_a_run_is():
    asked = {"backbone": "classifier", "out": "/elsewhere", "variants": ["evil.py"], "jobs": 9}
    values = suite_values(doubles.result("mlp", request="mlp", asked=asked))
    assert values["backbone"] == "classifier"
    assert values["variants"] == ("mlp",)
    assert not {"out", "jobs", "data_root", "inception_weights"} & set(values)
