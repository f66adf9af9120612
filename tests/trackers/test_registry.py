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
