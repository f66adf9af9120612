"""One function of many items, in this process or in several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from ganbench.launch.side_by_side import side_by_side

WHO = "__import__('os').getpid()"


@pytest.mark.parametrize("count", [1, 2, 9])
def test_what_is_returned_comes_in_the_order_of_the_items(count):
    slow_first = [f"[__import__('time').sleep({0.2 * (n == 0)}), {n} ** 2][1]" for n in range(5)]
    assert list(side_by_side(eval, slow_first, count)) == [0, 1, 4, 9, 16]


def test_with_one_process_or_one_item_all_is_done_here():
    assert list(side_by_side(eval, [WHO, WHO], 1)) == [os.getpid()] * 2
    assert list(side_by_side(eval, [WHO], 4)) == [os.getpid()]
    assert list(side_by_side(eval, [], 4)) == []


def test_with_two_processes_neither_is_this_one():
    wait = f"[__import__('time').sleep(0.5), {WHO}][1]"
    who = set(side_by_side(eval, [wait, wait, wait], 2))
    assert len(who) == 2
    assert os.getpid() not in who


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("expression", "error"), [("1 / 0", ZeroDivisionError), ("o", NameError)])
def test_what_the_function_raises_is_raised_here(count, expression, error):
    made = side_by_side(eval, ["1", expression, "3"], count)
    assert next(made) == 1
    with pytest.raises(error):
        next(made)


def test_what_a_process_did_that_is_gone_is_done_here():
    gone = f"{WHO} if {WHO} == {os.getpid()} else __import__('os').kill({WHO}, 9)"
    assert list(side_by_side(eval, [gone, "2", gone, "4"], 2)) == [os.getpid(), 2, os.getpid(), 4]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are killed and counted")
def test_the_processes_end_with_the_command_however_it_ends():
    program = f"""
import sys, time
from ganbench.launch.side_by_side import side_by_side
if __name__ == "__main__":
    made = side_by_side(eval, ["[__import__('time').sleep(0.2), {WHO}][1]"] * 3, 2)
    print(next(made), next(made), flush=True)
    time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in command.stdout.readline().split()]
        command.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive
