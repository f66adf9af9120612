"""Values and files as no program of ours writes them, for property-based tests."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

STRANGE = [
    "", "\x1b[2J", "$x$", "[/x]", "=1+1", "\ud800", "\u202e", "../..", "名前", "a" * 5000, "{}",
    "{", "{0.real}", "%s", "nan", "1e400", "-1", "0", "9" * 400, "1_0", "²", "true", "~", "a:b:c",
    "2e-4:0", "\0", "a\nb", " ", "null", ".5", "0x10", "1,2", "dcgan.lr_g=1", "--help",
    "imagefolder:", "/dev/zero",
]  # fmt: skip


def thorough(examples: int) -> settings:
    """So many examples, however long each takes."""
    quiet = (
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    )
    return settings(max_examples=examples, deadline=None, suppress_health_check=quiet)


def deep(levels: int) -> list[Any]:
    """Lists inside lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def texts() -> st.SearchStrategy[str]:
    """Texts that mean something to a terminal, a shell, a spreadsheet or Python; and any others."""
    return st.one_of(st.sampled_from(STRANGE), st.text(st.characters(), max_size=8))


def values() -> st.SearchStrategy[Any]:
    """JSON values of every kind."""
    numbers = [-1, 0, 1, 10**400, -(10**9), 1e308, -1e99, 1e-320, float("nan"), float("inf")]
    leaves = st.one_of(st.none(), st.booleans(), st.sampled_from(numbers), texts())
    some = st.one_of(leaves, st.lists(leaves, max_size=2), st.dictionaries(texts(), leaves))
    return st.one_of(some, st.sampled_from([deep(25), deep(500)]))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all parts of a JSON value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


@st.composite
def changed(draw: st.DrawFn, valid: Any) -> Any:
    """A valid JSON value in which one to three parts were replaced or removed."""
    value = copy.deepcopy(valid)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(value))))
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        if draw(st.integers(0, 4)) == 0:
            del parent[path[-1]]
        else:
            parent[path[-1]] = draw(values())
        if not list(places(value)):
            break
    return value


@st.composite
def damaged(draw: st.DrawFn, valid: bytes) -> bytes:
    """A valid file, cut off, with some bytes replaced, or with cells replaced."""
    kind = draw(st.sampled_from(["cut", "bytes", "cell"]))
    if kind == "cut":
        return valid[: draw(st.integers(0, len(valid)))]
    if kind == "bytes":
        start = draw(st.integers(0, len(valid)))
        return valid[:start] + draw(st.binary(max_size=20)) + valid[start + 10 :]
    lines = [line.split(b",") for line in valid.split(b"\n")]
    cells = [b"", b"nan", b"inf", b"-1", b"1e400", b"1e308", b"9" * 400, b"x", b"=1", b'"', b"\0"]
    for _ in range(draw(st.integers(1, 5))):
        line = draw(st.sampled_from(lines))
        line[draw(st.integers(0, len(line) - 1))] = draw(st.sampled_from(cells))
    return b"\n".join(b",".join(line) for line in lines)
