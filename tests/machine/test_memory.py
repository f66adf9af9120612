"""What the host says of itself."""

from __future__ import annotations

import platform
import subprocess
import sys

import psutil
import pytest

from ganbench.machine.memory import (
    free_host_memory_bytes,
    host_memory_bytes,
    processor_name,
    release_host_memory,
)


def test_a_containers_limit_counts_where_it_is_lower(tmp_path):
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("3000\n")
    assert free_host_memory_bytes(tmp_path) == 2000
    (tmp_path / "memory.current").write_text("6000\n")
    assert free_host_memory_bytes(tmp_path) == 0


def test_a_container_without_a_limit_has_the_machines_memory(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("3000\n")
    half = psutil.virtual_memory().available / 2
    assert free_host_memory_bytes(tmp_path) > half
    assert free_host_memory_bytes(tmp_path / "nowhere") > half


def test_the_processor_has_a_name():
    assert processor_name()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory")
def test_freed_memory_goes_back_to_the_system():
    process = psutil.Process()
    small = [bytearray(100_000) for _ in range(1000)]  # below the size that is mapped alone
    keep = bytearray(100_000)  # on top of the others, so that the heap cannot shrink by itself
    held = process.memory_info().rss
    del small
    release_host_memory()
    assert process.memory_info().rss < held - 50_000_000
    assert len(keep) == 100_000


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to")
def test_freed_memory_is_kept_until_it_is_released():
    script = """
import psutil
from ganbench.machine.memory import keep_freed_memory, release_host_memory
process = psutil.Process()
def resident():
    return process.memory_info().rss // 1_000_000
keep_freed_memory()
large = bytearray(300_000_000)
del large
kept = resident()
release_host_memory()
print(kept, resident())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    kept, released = map(int, done.stdout.split())
    assert kept > 300
    assert released < kept - 290


def test_the_memory_of_a_container_is_its_limit_where_that_is_less(tmp_path):
    (tmp_path / "memory.max").write_text("5000\n")
    assert host_memory_bytes(tmp_path) == 5000
    (tmp_path / "memory.max").write_text("max\n")
    assert host_memory_bytes(tmp_path) == psutil.virtual_memory().total
