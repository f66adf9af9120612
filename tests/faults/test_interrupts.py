"""Ctrl-C and SIGTERM at any moment: obeyed, saved, exit code 130, and no run more."""

from __future__ import annotations

import gc
import itertools
import os
import random
import signal
import subprocess
from contextlib import suppress

import psutil
import pytest
import results_doubles as doubles
from command_line import ganbench
from fault_doubles import EVERY_PART, command, results, same, signal_at, weights
from launch_doubles import planned, resources

from ganbench.data.dataset import Dataset, Split
from ganbench.launch.run_job import run_job
from ganbench.machine.interrupt import Stopped
from ganbench.report.charts import all_charts
from ganbench.scoring.backbones.classifier import obtain_classifier

pytestmark = pytest.mark.slow


def moments(calls, count):
    """Calls at which a signal comes: the first ones, the last ones, and some at random."""
    choice = random.Random(0)  # the very first call is that of the command itself
    return sorted({2, 3, calls - 1, calls, *(choice.randint(2, calls) for _ in range(count - 4))})


def is_equal(out, other):
    (one,), (two,) = results(out), results(other)
    return one["scores"] == two["scores"] and same(weights(out), weights(other))


# --- The process of a run ---


@pytest.fixture(scope="module")
def calm(tmp_path_factory, digits_backbone):
    """A job, its calls, a folder of a run that nothing disturbed, and the cache it filled."""
    gc.freeze()  # so that memory is given back quickly
    root = tmp_path_factory.mktemp("calm")
    (job,) = planned(**EVERY_PART).jobs
    run_job(job, resources(root / "first", root / "cache"))
    with signal_at(None, signal.SIGTERM) as calls:
        run_job(job, resources(root, root / "cache"))
    yield job, calls[0], root / "results", root / "cache"
    gc.unfreeze()


def test_a_run_that_is_asked_to_stop_at_any_moment_stops_and_goes_on(calm, tmp_path, figure):
    job, calls, undisturbed, filled = calm
    stopped = survived = 0
    chosen = moments(calls, 8)
    for number in chosen:
        root = tmp_path / f"{number}"
        needed = resources(root, filled)
        with signal_at(number, signal.SIGTERM):
            try:
                run_job(job, needed)
            except Stopped:
                stopped += 1
        assert list(root.rglob(".part-*")) == []
        if not results(root / "results"):
            run_job(job, resources(root, filled))
        survived += is_equal(root / "results", undisturbed)
    figure(
        stopped,
        len(chosen),
        "requests to stop a run, at moments from its first call to its last, were obeyed",
    )
    figure(survived, len(chosen), "runs that were asked to stop ended with the same bits")
    assert survived == len(chosen)
    assert stopped >= len(chosen) - 2  # the last calls may be those that say that all is done


def test_no_step_is_lost_where_a_request_comes_after_the_last_one(calm, tmp_path, monkeypatch):
    job, _, _, filled = calm
    needed = resources(tmp_path, filled)
    from ganbench.launch import run_job as module

    write = module.write_step_seconds

    def asked(folder, session):
        (folder / "checkpoint.pt").unlink(missing_ok=True)  # of the last evaluation
        os.kill(os.getpid(), signal.SIGTERM)
        write(folder, session)

    monkeypatch.setattr(module, "write_step_seconds", asked)
    with signal_at(None, signal.SIGTERM), pytest.raises(Stopped):
        run_job(job, needed)
    monkeypatch.undo()
    run_job(job, needed)
    assert "goes on at step 5" in needed.display.console.file.getvalue()


def test_the_training_of_a_classifier_ends_with_the_request_and_leaves_nothing(tmp_path, digits):
    few = Split(digits.train.images[:640], digits.train.labels[:640])
    small = Dataset(digits.spec, few, few, "0" * 16)

    def asked(_text, step, _total):
        if step >= 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with signal_at(None, signal.SIGTERM), pytest.raises(Stopped):
        obtain_classifier(small, "cpu", tmp_path, asked, published=tmp_path / "none")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    lines = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not any("classifier_training" in line for line in lines)


# --- Commands that do their work themselves ---


def files_of(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in files}


def interrupted(capsys, words, chosen, numbers=(signal.SIGINT,)):
    """The exit codes of a command that gets a signal at each of some calls, and what it says."""
    for call, number in zip(chosen, itertools.cycle(numbers)):
        capsys.readouterr()
        with signal_at(call, number):
            code = ganbench(*words)
        yield code, capsys.readouterr().err.strip()  # typer begins a line of its own


def calls_of(words):
    """How many calls a command takes once what it keeps in memory is there."""
    ganbench(*words)
    with signal_at(None, signal.SIGINT) as calls:
        ganbench(*words)
    return calls[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # see below
def test_a_report_is_interrupted_between_two_files(tmp_path, capsys, figure, monkeypatch):
    monkeypatch.setattr(all_charts, "CHARTS", all_charts.CHARTS[:1])
    out = doubles.write(tmp_path / "results", [doubles.result("dcgan"), doubles.result("mlp")])
    chosen, obeyed = moments(calls_of(("report", out)), 8), 0
    whole, both = files_of(out), (signal.SIGINT, signal.SIGTERM)
    for code, said in interrupted(capsys, ("report", out), chosen, both):
        assert files_of(out) == whole
        assert said.count("\n") == 0
        obeyed += code == 130 and "interrupted" in said
    figure(obeyed, len(chosen), "reports ended with 130 at a signal, and every file was whole")
    assert obeyed >= len(chosen) - 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "{run}", "{other}"),
        ("compare", "{run}", "{run}/nowhere"),
        ("check", "mlp"),
        ("list", "variants"),
        (
            "throughput", "--variants", "mlp", "--dataset", "digits", "--device", "cpu",
            "--batch-sizes", "16,17", "--seconds", "0.01", "--fresh", "--out", "{out}",
        ),
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_every_command_is_interrupted_in_one_line(tmp_path, capsys, figure, arguments):
    run = doubles.write(tmp_path / "results", [doubles.result("dcgan"), doubles.result("mlp")])
    other = doubles.write(tmp_path / "other", [doubles.result("mlp", seed) for seed in (0, 1)])
    places = {"run": run, "other": other, "out": tmp_path / "sweep"}
    words = [word.format(**places) for word in arguments]
    chosen, obeyed = moments(calls_of(words), 10), 0
    for code, said in interrupted(capsys, words, chosen):
        assert "Traceback" not in said
        assert said.count("\n") == 0
        assert list(tmp_path.rglob(".part-*")) == []
        obeyed += code == 130
    figure(obeyed, len(chosen), f"interrupts of ganbench {arguments[0]} ended with 130")
    # Python itself drops what a signal raises in a finalizer, and the last call may be beyond
    assert obeyed >= len(chosen) - 2


# --- Commands and their processes ---


def test_a_command_interrupted_again_and_again_saves_and_begins_no_other_run(
    tmp_path, digits_backbone, figure
):
    flags = ("--seeds", "2", "--budget", "600steps", "--evaluate-every", "200steps")
    out, choice, obeyed, total = tmp_path / "out", random.Random(0), 0, 4
    for number in range(total):
        with subprocess.Popen(
            command(out, *flags), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        ) as process:  # fmt: skip
            process.stdout.readline()  # it has begun
            with suppress(subprocess.TimeoutExpired):
                process.wait(choice.uniform(0, 7))
            begun = set(out.glob("runs/.*.partial"))
            if number % 2:
                process.send_signal(signal.SIGTERM)
            else:
                os.killpg(process.pid, signal.SIGINT)
            said, errors = process.communicate(timeout=120)
        assert "Traceback" not in errors
        assert errors.count("\n") <= 1
        assert list(out.rglob(".part-*")) == []
        assert len(begun | set(out.glob("runs/.*.partial"))) <= 1
        obeyed += process.returncode == 130 or "results: " in said
    done = subprocess.run(command(out, *flags), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [one["status"] for one in results(out)] == ["ok", "ok"]
    figure(obeyed, total, "interrupted commands saved what they had done, and ended with 130")
    assert obeyed == total
