"""Folders of a refused command: removed where they were made and are empty."""

from __future__ import annotations

import pytest

from ganbench.machine import made_folders


@pytest.fixture(autouse=True)
def _nothing_noted():
    made_folders.forget()
    yield
    made_folders.forget()


def test_folders_that_were_made_and_are_empty_are_removed(tmp_path):
    made_folders.note(tmp_path / "results" / "mine")
    (tmp_path / "results" / "mine").mkdir(parents=True)
    made_folders.remove_empty()
    assert list(tmp_path.iterdir()) == []


def test_folders_that_were_there_or_hold_something_stay(tmp_path):
    (tmp_path / "before").mkdir()
    for name in ("before", "full"):
        made_folders.note(tmp_path / name)
        (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / "full" / "run.txt").touch()
    made_folders.remove_empty()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before", "full"]
