"""Runs side by side on several cards of one machine."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
from launch_doubles import context, display, planned, said

from ganbench.launch import local_launcher
from ganbench.launch.local_launcher import LocalLauncher
from ganbench.machine.device import side_by_side


class Pool:
    """Stands for the processes: two tasks at a time; the later one of two always ends first."""

    def __init__(self):
        self.devices = []

    def carry_out(self, tasks, _display, *, at_a_time, placed, done):
        running = []
        for task in tasks:
            if len(running) == at_a_time:
                done(running.pop(), None)
            running.append(placed(task, tuple(running)))
            self.devices.append(running[-1].context.device)


def cuda(count):
    return SimpleNamespace(is_available=lambda: count > 0, device_count=lambda: count)


@pytest.mark.parametrize(
    ("requested", "count", "devices"),
    [
        ("auto", 2, ("cuda:0", "cuda:1")),
        (" CUDA", 2, ("cuda:0", "cuda:1")),
        ("cuda:1", 2, ()),
        ("cpu", 2, ()),
        ("auto", 1, ()),
        ("auto", 0, ()),
    ],
)
def test_runs_are_spread_over_all_cards_unless_one_is_named(requested, count, devices):
    assert side_by_side(requested, cuda=cuda(count)) == devices


def test_a_run_that_begins_takes_the_card_with_the_fewest(tmp_path, cache_root, monkeypatch):
    pool, shown = Pool(), display()
    monkeypatch.setattr(local_launcher, "process_pool", pool)
    where = dataclasses.replace(context(tmp_path, cache_root), device="cuda:0")
    LocalLauncher(2, ("cuda:0", "cuda:1")).carry_out(
        planned(seeds="4").jobs, where, shown, lambda _job: None
    )
    assert pool.devices == ["cuda:0", "cuda:1", "cuda:1", "cuda:1"]
    assert "2 runs side by side on cuda:0, cuda:1" in said(shown)


def test_one_run_at_a_time_stays_on_the_card_of_the_command(tmp_path, cache_root, monkeypatch):
    pool = Pool()
    monkeypatch.setattr(local_launcher, "process_pool", pool)
    where = dataclasses.replace(context(tmp_path, cache_root), device="cuda:0")
    LocalLauncher(4, ("cuda:0", "cuda:1")).carry_out(
        planned().jobs, where, display(), lambda _job: None
    )
    assert pool.devices == ["cuda:0"]
