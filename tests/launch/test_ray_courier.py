"""What travels from a task of Ray, and when; with a double for the keeper."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from ganbench.launch import ray_courier
from ganbench.launch.parcels import unpack
from ganbench.launch.progress import Message
from ganbench.launch.ray_courier import RayCourier


class Keeper:
    """Unpacks what it is given at once."""

    def __init__(self, folder):
        self.folder = folder
        self.calls = []
        self.deliver = SimpleNamespace(remote=self._deliver)
        self.finish = SimpleNamespace(remote=lambda *call: self._done(call))

    def _deliver(self, run_id, begun, messages, parcel):
        names = unpack(parcel, self.folder) if parcel else []
        return self._done((run_id, begun, messages, sorted(names)), answer=False)

    def _done(self, call, answer=None):
        self.calls.append(call)
        future = Future()
        future.set_result(answer)
        return SimpleNamespace(future=lambda: future)


@pytest.fixture
def course(tmp_path):
    """A courier that has not been started, its keeper, and the folder of its run."""
    keeper, root = Keeper(tmp_path / "there"), tmp_path / "here"
    run = root / "runs/.a.partial"
    run.mkdir(parents=True)
    (run / "old").write_text("known")
    return RayCourier("a", 1, "a", root, keeper, ray_courier.stamps(root)), keeper, run


def test_what_has_changed_travels_once_and_what_is_shown_with_it(course):
    courier, keeper, run = course
    (run / "history.csv").write_text("1")
    courier.display.show(Message("a", "bar", 1, 4))
    courier.display.show(Message("a", "bar", 2, 4))
    courier.display.say("a line")
    assert not courier._deliver()
    assert not courier._deliver()
    shown = [Message("a", "bar", 2, 4), Message("a", "a line")]
    assert keeper.calls == [
        ("a", 1, shown, ["runs/.a.partial/history.csv"]),
        ("a", 1, [], []),
    ]


def test_a_checkpoint_travels_now_and_then_and_at_the_end(course, monkeypatch):
    courier, keeper, run = course
    clock = iter([1000.0, 1010.0, 1200.0, 1201.0])
    monkeypatch.setattr(ray_courier, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    for size in (1, 2, 3, 4):
        (run / "checkpoint.pt").write_bytes(bytes(size))
        courier._deliver(is_last=size == 4)
    name = ["runs/.a.partial/checkpoint.pt"]
    assert [call[-1] for call in keeper.calls] == [name, [], name, name]
    assert (keeper.folder / name[0]).stat().st_size == 4


def test_a_finished_run_travels_as_an_unfinished_one_until_all_of_it_is_there(course):
    courier, keeper, run = course
    (run / "result.json").write_text("{}")
    (run.parent / ".a.lock").touch()
    run.rename(run.parent / "a")
    courier._ended.set()
    courier.start()
    courier.end()
    assert keeper.calls == [("a", 1, [], ["runs/.a.partial/result.json"]), ("a", 1)]
