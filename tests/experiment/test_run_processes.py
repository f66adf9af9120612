"""What is refused of runs on several processes, each in one line before anything is trained."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import results_doubles as doubles
from launch_doubles import planned

from ganbench.errors import UsageError
from ganbench.experiment.conditions import changes, conditions_of, in_words
from ganbench.experiment.processes import refuse_devices
from ganbench.experiment.repeat import suite_values
from ganbench.machine.device import Device
from ganbench.report.columns import value
from ganbench.report.rows import entries_of


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"set": ("batch_size=33",)}, "mlp: batch_size=33 cannot be shared evenly by 2 processes"),
        (
            {"variants": ("pacdcgan",), "set": ("batch_size=6",)},
            "has 3 images of batch_size=6, which is no multiple of packing=2: give a multiple of 4",
        ),
        (
            {"variants": ("stylegan2",), "set": ("batch_size=20",)},
            "no multiple of the 4 images that its networks look at together: give a multiple of 8",
        ),
        ({"compile": True}, "--compile cannot be used with --processes-per-run 2"),
        ({"launcher": "ray"}, "--launcher ray cannot be used with --processes-per-run 2"),
        ({"exclusive_timing": True}, "--exclusive-timing cannot be used with --processes-per-run"),
    ],
)
def test_what_several_processes_cannot_do_is_refused(changes, message):
    with pytest.raises(UsageError) as refused:
        planned(processes_per_run=2, **changes)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (("cuda", 0), "this machine has 2 CUDA devices: give at most 2"),
        (("cuda", 1), "takes cuda:0 to cuda:2, and --device cuda:1 names another"),
        (("mps", 0), "there is one MPS device"),
    ],
)
def test_more_processes_than_devices_are_refused(device, message):
    cards = SimpleNamespace(device_count=lambda: 2)
    with pytest.raises(UsageError, match=message):
        refuse_devices(3, Device(*device, "asked for", cards))


def test_as_many_processes_as_cards_and_any_number_on_the_cpu_are_allowed():
    cards = SimpleNamespace(device_count=lambda: 2)
    refuse_devices(2, Device("cuda", 0, "asked for", cards))
    refuse_devices(64, Device("cpu", 0, "asked for"))


def test_the_number_of_processes_is_no_part_of_a_runs_name_but_is_stored():
    """So that a run goes on with another number."""
    (one,), (two,) = planned().jobs, planned(processes_per_run=2).jobs
    assert one.id == two.id
    assert "processes_per_run" not in one.asked
    assert two.asked["processes_per_run"] == 2


def test_a_run_is_repeated_with_as_many_processes():
    stored = doubles.result(asked={"backbone": "auto", "processes_per_run": 2})
    assert suite_values(stored)["processes_per_run"] == 2


def test_results_that_differ_in_processes_say_so():
    older = doubles.result(environment={"threads": 2})  # stored before there were several
    two = doubles.result(environment={"threads": 2, "processes_per_run": 2})
    assert changes(conditions_of(older), conditions_of(two)) == ["processes_per_run 1 is now 2"]
    assert "process" not in in_words(conditions_of(older))
    assert in_words(conditions_of(two)).startswith("2 processes per run, 2 threads")
    assert [value(one, "processes_per_run") for one in (older, two)] == ["1", "2"]
    runs = [SimpleNamespace(result=one, path=Path(one.run_id)) for one in (older, two)]
    labels = [entry.label for entry in entries_of(runs)]
    assert [label.rpartition(", ")[2] for label in labels] == ["1 process", "2 processes"]
