"""The flags of launchers, and which launcher they make."""

from __future__ import annotations

import pytest

from ganbench.errors import UsageError
from ganbench.experiment.suite import Suite
from ganbench.launch import launcher, launchers
from ganbench.launch.local_launcher import LocalLauncher


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ray_address": "auto"}, "--ray-address is for --launcher ray"),
        ({"launcher": "slurm", "ray": ("num_cpus=1",)}, "--ray is for --launcher ray"),
        ({"launcher": "ray", "slurm": ("partition=a",)}, "--slurm is for --launcher slurm"),
        ({"launcher": "ray", "exclusive_timing": True}, "--exclusive-timing measures on this"),
        ({"launcher": "ray", "track": ("mlflow",)}, "MLFLOW_TRACKING_URI"),
        ({"launcher": "ray", "ray": ("num_cpus",)}, "give KEY=VALUE"),
        ({"launcher": "ray", "ray": ("num_cpu=1",)}, "did you mean num_cpus"),
        ({"launcher": "ray", "ray": ("num_cpus=1.5",)}, "give a whole number"),
        ({"launcher": "ray", "ray": ("num_cpus=0",)}, "too small: give 1 or more"),
        ({"launcher": "ray", "ray": ("num_gpus=nan",)}, "give 0 or more"),
        ({"launcher": "ray", "ray": ("num_gpus=1", "num-gpus=2")}, "given twice"),
        ({"launcher": "ray", "ray_address": "ray://a:1"}, "give the command on a machine of"),
        ({"launcher": "slurm", "slurm": ("cluster=lsf",)}, "give slurm or local"),
    ],
)
def test_flags_that_make_no_sense_are_refused_in_one_line(given, said, monkeypatch):
    monkeypatch.setattr(launcher, "is_installed", lambda _package: True)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(UsageError) as refusal:
        launchers.launcher_of(Suite(**given))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["ray", "slurm"])
def test_a_missing_package_is_said_with_how_to_install_it(name, monkeypatch):
    monkeypatch.setattr(launcher, "is_installed", lambda _package: False)
    with pytest.raises(UsageError, match=rf"pip install 'ganbench\[{name}\]'"):
        launchers.launcher_of(Suite(launcher=name))


def test_without_a_cluster_the_launcher_is_this_machine():
    assert launchers.launcher_of(Suite(jobs=3)) == LocalLauncher(3)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere.invalid:6379"])
def test_a_cluster_of_ray_that_is_not_there_is_said_in_seconds(address):
    pytest.importorskip("ray")
    asked = launchers.launcher_of(Suite(launcher="ray", ray_address=address))
    with pytest.raises(UsageError, match="cannot be reached"):
        asked.device("auto", None)


def test_slurm_that_is_not_here_is_said_in_one_line(monkeypatch, tmp_path):
    pytest.importorskip("submitit")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"Slurm cannot be used: .*--slurm cluster=local"):
        launchers.launcher_of(Suite(launcher="slurm")).device("auto", None)


def test_a_setting_that_the_local_executor_does_not_know_is_refused():
    pytest.importorskip("submitit")
    asked = launchers.launcher_of(Suite(launcher="slurm", slurm=("cluster=local", "timeout_mn=3")))
    with pytest.raises(UsageError, match="did you mean timeout_min"):
        asked.device("auto", None)


@pytest.mark.parametrize(
    ("settings", "requested", "kind"),
    [
        ((), "auto", "cpu"),
        (("gpus_per_node=1",), "auto", "cuda"),
        (("gpus_per_node=1",), "cpu", "cpu"),
        ((), "cuda", "cuda"),
    ],
)
def test_runs_of_slurm_use_cards_where_the_settings_ask_for_some(settings, requested, kind):
    pytest.importorskip("submitit")
    asked = launchers.launcher_of(
        Suite(launcher="slurm", slurm=("cluster=local", *settings), device=requested)
    )
    assert asked.device(requested, None)[0].kind == kind
