"""Finding trackers by name."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest
from command_line import ganbench, one_line

from ganbench.errors import UsageError
from ganbench.experiment.suite import read_suite
from ganbench.trackers import registry

OWN = ("mlflow", "tensorboard", "trackio", "wandb")


@pytest.mark.parametrize("name", OWN)
def test_ganbenchs_own_trackers_come_through_the_same_door_as_others(name, install):
    install({"mine": "plugin_mine:Mine"}, group="ganbench.trackers")
    assert {name, "mine"} <= set(registry.names())


def test_a_near_name_is_proposed(capsys):
    assert ganbench("run", "--variants", "mlp", "--dataset", "digits", "--track", "tensorbord") == 2
    assert "did you mean tensorboard?" in one_line(capsys)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("spec", [None, ModuleSpec("a_folder_of_that_name", None, is_package=True)])
def test_a_missing_library_is_said_with_the_way_to_install_it(name, spec, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: spec)
    assert ganbench("run", "--variants", "mlp", "--dataset", "digits", "--track", name) == 2
    assert f"pip install 'ganbench[{name}]'" in one_line(capsys)


def test_a_tracker_of_another_package_needs_no_library_of_its_name(install):
    install({"mine": "plugin_mine:Mine"}, group="ganbench.trackers")
    registry.check(["mine"])


def test_a_name_that_two_packages_have_is_refused_with_both(install):
    install({"mine": "plugin_one:One"}, distribution="one", group="ganbench.trackers")
    install({"mine": "plugin_two:Two"}, distribution="two", group="ganbench.trackers")
    with pytest.raises(UsageError, match=r"plugin_one:One \(one\) and plugin_two:Two \(two\)"):
        registry.check(["mine"])


def test_a_suite_names_trackers_as_the_flag_does(tmp_path):
    suite = tmp_path / "suite.yaml"
    suite.write_text("track: [tensorboard, mlflow]\n")
    assert read_suite(suite, {}).track == ("tensorboard", "mlflow")
    assert read_suite(suite, {"track": "wandb, trackio"}).track == ("wandb", "trackio")


def test_the_list_of_trackers_says_which_are_ready_and_how_to_install_the_others(
    install, monkeypatch, capsys
):
    install({"mine": "plugin_mine:Mine"}, distribution="my-trackers", group="ganbench.trackers")
    there = ModuleSpec("there", None, origin="a_file.py")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: there if name == "mlflow" else None
    )
    monkeypatch.setenv("COLUMNS", "200")
    assert ganbench("list", "trackers") == 0
    rows = {
        cells[0]: cells[1:]
        for line in capsys.readouterr().out.splitlines()
        if len(cells := [cell.strip() for cell in line.strip("│").split("│")]) == 4
    }
    assert {name: cells[1] for name, cells in rows.items()} == {
        "mine": "installed",
        "mlflow": "installed",
        "tensorboard": "pip install 'ganbench[tensorboard]'",
        "trackio": "pip install 'ganbench[trackio]'",
        "wandb": "pip install 'ganbench[wandb]'",
    }
    assert rows["mine"][0] == "plugin_mine:Mine"
    assert rows["mine"][2] == "my-trackers"


def test_the_list_of_trackers_names_both_origins_of_a_name_that_two_packages_have(install):
    install({"wandb": "plugin_mine:Mine"}, distribution="other", group="ganbench.trackers")
    (entry,) = (entry for entry in registry.entries() if entry.name == "wandb")
    assert "two origins" in entry.problem
    assert "plugin_mine:Mine (other)" in entry.problem
