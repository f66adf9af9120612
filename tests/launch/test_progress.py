"""One display for all runs: bars on a terminal, lines elsewhere, and what other processes send."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from ganbench.launch import progress
from ganbench.launch.progress import Display, Message, Relay


def plain() -> tuple[Display, io.StringIO]:
    text = io.StringIO()
    return Display(Console(file=text, width=200)), text


def terminal() -> tuple[Display, io.StringIO]:
    text = io.StringIO()
    return Display(Console(file=text, width=200, force_terminal=True)), text


def shown(display: Display) -> list[tuple[str, float, str]]:
    assert display._bars is not None
    return [
        (task.description, task.completed, task.fields["detail"]) for task in display._bars.tasks
    ]


def test_each_run_has_its_own_bar_until_it_is_full():
    display, _ = terminal()
    display.show(Message("mlp · seed 0", "mlp · seed 0", 5, 10, "step 5"))
    display.show(Message("mlp · seed 1", "mlp · seed 1", 2, 10, "step 2"))
    assert shown(display) == [("mlp · seed 0", 5, "step 5"), ("mlp · seed 1", 2, "step 2")]
    display.show(Message("mlp · seed 0", "mlp · seed 0", 10, 10, "step 10"))
    assert shown(display) == [("mlp · seed 1", 2, "step 2")]


def test_work_of_a_run_is_named_after_it_so_that_runs_are_not_mixed_up():
    display, _ = terminal()
    for seed in (0, 1):
        display.show(Message(f"mlp · seed {seed}", "classifier features", 1, 2))
    names = [name for name, _, _ in shown(display)]
    assert names == ["mlp · seed 0: classifier features", "mlp · seed 1: classifier features"]


def test_a_run_that_ends_half_way_takes_its_bars_along():
    display, _ = terminal()
    display.show(Message("a", "a", 1, 2))
    display.show(Message("a", "features", 1, 2))
    display.show(Message("b", "b", 1, 2))
    display.leave("a")
    assert [name for name, _, _ in shown(display)] == ["b"]


def test_lines_name_their_run_and_what_is_about_no_run_alone_comes_once():
    display, text = plain()
    display.say("digits: features of the classifier")
    for run in ("mlp · seed 1", "mlp · seed 10"):
        topic = "digits: features of the classifier"
        display.show(Message(run, topic, topic=topic))
        display.show(Message(run, "few images"))
        display.show(Message(run, f"{run}: goes on at step 3"))
    assert text.getvalue().splitlines() == [
        "digits: features of the classifier",
        "mlp · seed 1: few images",
        "mlp · seed 1: goes on at step 3",
        "mlp · seed 10: few images",
        "mlp · seed 10: goes on at step 3",
    ]


def test_facts_for_finding_faults_are_shown_once_and_only_where_they_are_wanted():
    for verbose in (False, True):
        text = io.StringIO()
        display = Display(Console(file=text, width=200), verbose=verbose)
        for run in ("a", "b"):
            Relay(run, display.show).debug("images are on the card")
        assert text.getvalue() == ("images are on the card\n" if verbose else "")


def test_the_end_of_one_run_leaves_the_bars_of_others_whose_names_begin_alike():
    display, _ = terminal()
    for run in ("mlp · seed 1", "mlp · seed 10"):
        display.show(Message(run, run, 1, 2))
        display.show(Message(run, "features", 1, 2))
    display.leave("mlp · seed 1")
    assert [name for name, _, _ in shown(display)] == ["mlp · seed 10", "mlp · seed 10: features"]


def test_elsewhere_than_on_a_terminal_lines_come_now_and_then(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    display, text = plain()
    for second in range(31):
        now[0] = float(second)
        display.show(Message("a", "a", second, 30, f"step {second}"))
    assert text.getvalue().splitlines() == [
        "a: 33% step 10", "a: 67% step 20", "a: 100% step 30"
    ]  # fmt: skip


def test_a_relay_sends_what_it_is_told_and_shows_nothing(capsys):
    sent: list[Message] = []
    relay = Relay("mlp · seed 0", sent.append)
    with relay:
        relay.say("a [b] c")
        relay.update("mlp · seed 0", 1, 2, "step 1")
        relay.report("features", 3, 3)
    assert sent == [
        Message("mlp · seed 0", "a [b] c"),
        Message("mlp · seed 0", "mlp · seed 0", 1, 2, "step 1"),
        Message("mlp · seed 0", "features", 3, 3),
    ]
    assert capsys.readouterr().out == ""


def test_a_relay_sends_seldom_but_always_the_end():
    sent: list[Message] = []
    relay = Relay("a", sent.append)
    for done in range(1001):
        relay.update("a", done, 1000)
    assert sent[0].done == 0
    assert sent[-1].done == 1000
    assert len(sent) < 100


@pytest.mark.parametrize("make", [plain, terminal])
def test_a_message_is_shorter_than_what_a_pipe_takes_in_one_piece(make):
    """So that a process that dies cannot leave half a message, on which its reader would wait."""
    import pickle

    display, _ = make()
    message = Message("v" * 60, "x" * 200, 1e9, 1e9, "d" * 400)
    assert len(pickle.dumps(message)) < 4096
    display.show(message)
    assert progress._RELAY_INTERVAL_SECONDS < 1


@pytest.mark.parametrize("is_terminal", [True, False])
def test_markup_and_escapes_in_names_are_shown(is_terminal):
    output = io.StringIO()
    console = Console(file=output, force_terminal=is_terminal, width=120, color_system=None)
    with Display(console) as display:
        display.update("imagefolder:x[/x]\x1b[2J", 1, 2, "[/detail]")
        display.say("said [/x]\x1b[2J")
    shown = output.getvalue()
    assert r"said [/x]\x1b[2J" in shown
    assert "\x1b[2J" not in shown
    if is_terminal:
        assert r"imagefolder:x[/x]\x1b[2J" in shown
        assert "[/detail]" in shown
