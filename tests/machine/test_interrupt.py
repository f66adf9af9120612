"""Requests to stop: noted while a `StopRequest` is open, raised where the process says so."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys

import pytest

from ganbench.machine import interrupt
from ganbench.machine.interrupt import Stopped, StopRequest


def test_a_first_interrupt_is_noted_and_a_second_ctrl_c_interrupts():
    with StopRequest() as request:
        assert not request.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert request.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_sigterm_is_only_ever_noted():
    with StopRequest() as request:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert request.asked


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_work_that_can_be_done_again_is_left_at_once(number, monkeypatch):
    monkeypatch.setattr(interrupt, "_raised", -math.inf)  # no other request came lately
    done = []

    def work(request):
        with request.at_once():
            if not request.asked:
                os.kill(os.getpid(), number)
            done.append("the rest")

    with StopRequest() as request:
        for _ in range(2):  # the second time it was asked before
            with pytest.raises(Stopped):
                work(request)
            assert request.asked
    assert done == []


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopRequest():
        pass
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize(
    ("program", "output"),
    [
        ("interrupt.ask()", "stopped"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "stopped"),
        ("os.kill(os.getpid(), signal.SIGINT)", "went on"),  # the command decides
        ("interrupt.ignore_requests(); interrupt.ask()", "went on"),
    ],
)
def test_the_process_of_a_job_is_stopped_by_its_command_and_not_by_ctrl_c(program, output):
    script = (
        "import os, signal, time\nfrom ganbench.machine import interrupt\n"
        "interrupt.stop_when_asked()\n"
        f"try:\n    {program}\n    time.sleep(0.1)\n    print('went on')\n"
        "except Exception:\n    print('taken for an error')\n"
        "except interrupt.Stopped:\n    print('stopped')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == output


def test_a_request_in_the_process_of_a_job_is_noted_where_one_is_open():
    script = (
        "import time\nfrom ganbench.machine import interrupt\n"
        "interrupt.stop_when_asked()\n"
        "with interrupt.StopRequest() as request:\n"
        "    interrupt.ask()\n    time.sleep(0.1)\n    print(request.asked)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
