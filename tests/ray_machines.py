"""A head and two machines of Ray: in network namespaces of their own, or processes on loopback."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

STORE = 80 * 2**20  # bytes
_PORT = 6399


class Loopback:
    """All of them at 127.0.0.1.

    Attributes:
        address: Of the head.
        prefix: With which a command begins that runs on the head.
    """

    prefix = ()

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            self._cluster.add_node(num_cpus=1, object_store_memory=STORE)
        self.address = self._cluster.address

    def kill_one(self) -> None:
        """End a machine on which runs go on."""
        machine = self._cluster.worker_nodes.copy().pop()
        self._cluster.remove_node(machine, allow_graceful=False)

    def shutdown(self) -> None:
        """End all of them."""
        self._cluster.shutdown()


class Namespaces:
    """Each with a network address of its own, joined by a bridge; needs root and `ip`."""

    def __init__(self) -> None:
        number = os.getpid() % 100_000
        self._bridge = f"gb{number}"
        self._names = [f"gb{number}-{place}" for place in range(3)]
        self._folder = tempfile.mkdtemp(prefix="ray-")  # short, as paths of sockets have to be
        self._token = secrets.token_hex(32)
        self.prefix = self._inside(0)
        self.address = f"{_ip(0)}:{_PORT}"
        try:
            _run("ip", "link", "add", self._bridge, "type", "bridge")
            _run("ip", "link", "set", self._bridge, "up")
            for place, name in enumerate(self._names):
                self._join(place, name)
            self._start(0, "--head", "--port", _PORT, "--num-cpus", 0, "--include-dashboard",
                        "false", "--temp-dir", self._folder)  # fmt: skip
            for place in (1, 2):
                self._start(place, "--address", self.address, "--num-cpus", 1)
        except BaseException:
            self.shutdown()
            raise

    @staticmethod
    def are_possible() -> bool:
        """Whether this process may make them."""
        if shutil.which("ip") is None:
            return False
        name = f"gb{os.getpid() % 100_000}-try"
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        return made.returncode == 0

    def _join(self, place: int, name: str) -> None:
        cable, inner = f"{self._bridge}c{place}", "eth0"
        _run("ip", "netns", "add", name)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "name", inner, "netns", name)
        _run("ip", "link", "set", cable, "master", self._bridge, "up")
        _run("ip", "-n", name, "address", "add", f"{_ip(place)}/24", "dev", inner)
        for device in ("lo", inner):
            _run("ip", "-n", name, "link", "set", device, "up")

    def _start(self, place: int, *arguments: object) -> None:
        ray = Path(sys.executable).with_name("ray")
        own = ("--node-ip-address", _ip(place), "--object-store-memory", STORE)
        _run(*self._inside(place), ray, "start", *own, "--disable-usage-stats", *arguments)

    def _inside(self, place: int) -> tuple[str, ...]:
        token = ("RAY_AUTH_MODE=token", f"RAY_AUTH_TOKEN={self._token}")  # Ray asks other machines
        return ("env", *token, "ip", "netns", "exec", self._names[place])

    def kill_one(self) -> None:
        """End a machine on which runs go on."""
        self._kill(self._names[2])

    @staticmethod
    def _kill(name: str) -> None:
        listed = subprocess.run(
            ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
        )
        for number in listed.stdout.split():
            with suppress(ProcessLookupError):
                os.kill(int(number), signal.SIGKILL)

    def shutdown(self) -> None:
        """End all of them, and remove their networks."""
        for name in self._names:
            self._kill(name)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "delete", self._bridge], capture_output=True, check=False)
        shutil.rmtree(self._folder, ignore_errors=True)


def _ip(place: int) -> str:
    return f"10.213.77.{place + 1}"


def _run(*words: object) -> None:
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
