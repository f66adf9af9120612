"""Processes begin quickly, alike, and with nothing of what ran before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from launch_doubles import FakeTask, display, said

from ganbench.errors import GanbenchError, UsageError
from ganbench.launch import process_pool
from ganbench.machine.interrupt import Stopped

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no server")


def outcomes(*expressions: str, at_a_time: int = 1) -> list[object]:
    """What tasks have returned, in the order in which they ended."""
    values: list[object] = []
    tasks = [FakeTask(expression, expression) for expression in expressions]
    process_pool.carry_out(
        tasks, display(), at_a_time=at_a_time, done=lambda _task, value: values.append(value)
    )
    return values


def test_each_task_has_a_process_of_its_own():
    assert len({*outcomes("os.getpid()", "os.getpid()"), os.getpid()}) == 3


def test_tasks_run_side_by_side_but_no_more_than_asked_for(tmp_path):
    here = str(tmp_path)
    meet = (
        f"[open({here!r} + '/' + str(os.getpid()), 'w').close(), "
        f"__import__('time').sleep(1), len(os.listdir({here!r}))][-1]"
    )
    assert outcomes(meet, meet, at_a_time=2) == [2, 2]
    assert outcomes(meet, meet) == [3, 4]


def test_what_a_task_shows_is_shown_here():
    shown = display()
    process_pool.carry_out([FakeTask("display.say('digits: read')")], shown)
    assert "digits: read" in said(shown)


@pytest.mark.parametrize(
    ("expression", "error", "message"),
    [
        ("(_ for _ in ()).throw(UsageError('give --out'))", UsageError, "give --out"),
        ("1 / 0", GanbenchError, "ZeroDivisionError: division by zero"),
        ("__import__('sys').exit('no')", GanbenchError, "SystemExit: no"),
        ("(_ for _ in ()).throw(Stopped())", Stopped, None),
        ("os._exit(0)", GanbenchError, "was ended from outside"),
        ("os.kill(os.getpid(), 9)", GanbenchError, "was ended from outside"),
    ],
)
def test_how_a_task_fails_is_said_by_the_command(expression, error, message):
    with pytest.raises(error, match=message):
        outcomes(expression)


def test_a_process_whose_variant_left_a_thread_running_is_ended(monkeypatch):
    monkeypatch.setattr(process_pool, "_END_SECONDS", 0.2)
    forever = "__import__('threading').Thread(target=__import__('time').sleep, args=(600,)).start()"
    assert outcomes(f"[{forever}, 7][-1]") == [7]


@only_linux
def test_what_one_process_changes_reaches_no_other():
    change = "__import__('torch').set_default_dtype(__import__('torch').float64)"
    look = "str(__import__('torch').get_default_dtype())"
    assert outcomes(change, look) == [None, "torch.float32"]


@pytest.mark.slow
@only_linux
def test_the_server_has_loaded_torch_but_uses_neither_cuda_nor_threads():
    """Threads that a fork leaves behind would hang a job, and CUDA cannot be used after one."""
    script = """
import os, pathlib, sys
from ganbench.launch import process_pool, processes
from ganbench.launch.progress import Display
from rich.console import Console

class Look:
    label = ""
    def carry_out(self, display):
        loaded = "torch" in sys.modules and "ganbench.launch.run_job" in sys.modules
        import torch
        tasks = len(os.listdir(f"/proc/{os.getppid()}/task"))
        product = float((torch.ones(500, 500) @ torch.ones(500, 500)).sum())
        cuda = torch.cuda.is_initialized() or torch.cuda._is_in_bad_fork()
        return loaded, tasks, cuda, product, torch.get_num_threads()

if __name__ == "__main__":
    show = lambda _task, value: print(value)
    process_pool.carry_out([Look()], Display(Console(quiet=True)), done=show)
"""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "2"}
    program = Path(os.environ["GANBENCH_CACHE"]) / "look.py"
    program.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str((True, 1, False, 500.0**3, 2))


def test_threads_are_limited_for_libraries_that_are_loaded_and_those_that_will_be():
    program = (
        "import os, numpy, torch, threadpoolctl\n"
        "from ganbench.machine.torch_settings import limit_threads\n"
        "limit_threads(1)\n"
        "pools = {pool['num_threads'] for pool in threadpoolctl.threadpool_info()}\n"
        "print(torch.get_num_threads(), pools, os.environ['OMP_NUM_THREADS'])"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "1 {1} 1"


@only_linux
def test_the_server_ends_with_the_process_that_started_it():
    program = (
        "from multiprocessing import forkserver\nfrom ganbench.launch import processes\n"
        "processes._IMPORTED = ()\nprocesses.start_server()\n"
        "print(forkserver._forkserver._forkserver_pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not psutil.pid_exists(int(done.stdout)) or (
        psutil.Process(int(done.stdout)).status() == psutil.STATUS_ZOMBIE
    )
