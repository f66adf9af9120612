"""A tracker in a process of its own: never waited for, and one problem whatever it does."""

from __future__ import annotations

import re

import pytest
from tracker_doubles import calls, install_doubles

from ganbench.trackers.hosted import HostedTracker
from ganbench.trackers.tracker import RunEnd, TrackedRun


@pytest.fixture
def run(tmp_path, install, monkeypatch):
    install_doubles(install, monkeypatch)
    return TrackedRun("mlp-s0", tmp_path, 0, "mlp", "digits", 0, "cpu", "2steps", {"lr_g": 0.1})


def test_calls_arrive_in_their_order(run, tmp_path):
    tracker = HostedTracker("lines", run)
    tracker.wait_until_open()
    tracker.call([("scalars", (1, {"a/b": 0.5})), ("scalars", (2, {"a/b": 0.25}))])
    tracker.call([("end", (RunEnd("ok", step=2, values={"fid": 3.0}),))])
    tracker.end()
    assert tracker.problem == ""
    assert calls(tmp_path) == [
        ["open", 0],
        ["scalars", 1, {"a/b": 0.5}],
        ["scalars", 2, {"a/b": 0.25}],
        ["end", "ok", "", 2, {"fid": 3.0}],
    ]


def test_a_tracker_whose_run_was_killed_ends_what_it_has(run, tmp_path):
    tracker = HostedTracker("lines", run)
    tracker.call([("scalars", (1, {"a/b": 0.5}))])
    tracker.leave_alone()  # the pipe ends, as that of a process that is gone
    assert calls(tmp_path) == [
        ["open", 0],
        ["scalars", 1, {"a/b": 0.5}],
        ["end", "interrupted", "", None, {}],
    ]


def test_a_tracker_that_does_not_answer_is_not_waited_for(run):
    tracker = HostedTracker("waits", run)
    tracker.wait_until_open()
    many = {f"group/{number}": 0.5 for number in range(1000)}
    for step in range(100):  # more than a pipe holds
        tracker.call([("scalars", (step, many))])
    tracker.call([("end", (RunEnd("ok"),))])
    tracker.end(seconds=0.25)
    assert tracker.problem == "its end took more than 0.25 s"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("at-import", "open raised ModuleNotFoundError (.*): No module named 'plugin_that_is_not"),
        ("at-open", r"open raised ValueError \(plugin_trackers.py, line \d+\): no"),
        ("exits", r"its process ended by itself \(out of luck\)"),
    ],
)
def test_a_problem_says_what_was_done_and_where(name, problem, run):
    tracker = HostedTracker(name, run)
    tracker.wait_until_open()
    tracker.call([("scalars", (1, {"a/b": 0.5})), ("end", (RunEnd("ok"),))])
    tracker.end()
    assert re.match(problem, tracker.problem), tracker.problem
