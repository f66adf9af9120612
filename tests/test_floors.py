"""Who may import whom, read from the source: ganbench is a house that is built from the ground."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import ganbench

ROOT = Path(__file__).parents[1]

# A room imports from the floors below its own, and from what stands left of it on its own floor.
# A package is one room; its modules may import each other.
FLOORS = (
    ("errors", "source", "streams", "host", "device", "environment", "interrupt"),
    ("budget", "text", "execution", "variant", "losses", "networks", "result"),
    (
        "clock", "phases", "scaling", "step", "rehearsal", "stepper", "order", "feed", "session",
        "train", "data", "judge", "classifier", "folding", "inception", "efficientnet", "features",
        "metrics", "sample", "limits",
    ),
    ("registry", "store"),
    ("suite", "plan"),
    (
        "progress", "report", "compare", "repeat", "check", "listing", "evaluate", "course",
        "workshop", "recording", "run", "sampling", "worker", "side_by_side", "timing", "launch",
        "selftest", "throughput",
    ),
    ("cli",),
)  # fmt: skip
ORDER = [room for floor in FLOORS for room in floor]

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "ganbench").rglob("*.py"))
}
VARIANTS = sorted((ROOT / "variants").glob("[!_]*.py"))


def room(module):
    """The room of a module or name: `ganbench.data.digits` lies in `data`."""
    name = module.split(".")[1]
    return ganbench._HOMES.get(name) or name


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in {
        getattr(node.test, "id", ""),
        getattr(node.test, "attr", ""),
    }


def run_time_nodes(node):
    """All nodes below one, without what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            for other in child.orelse:
                yield other
                yield from run_time_nodes(other)
        else:
            yield child
            yield from run_time_nodes(child)


def imports(source, package="ganbench"):
    """Names that a source imports at its top or within functions, by statement or by name."""
    found = set()
    for node in run_time_nodes(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                found |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=module, names=aliases, level=level):
                base = ".".join(filter(None, [package if level else "", module or ""]))
                found |= {f"{base}.{alias.name}" for alias in aliases}
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                called = getattr(function, "id", getattr(function, "attr", ""))
                if called in {"import_module", "__import__"}:
                    found.add(name)
    return found


def imported_rooms(module):
    """Rooms of ganbench that a module imports from."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = imports(path.read_text(encoding="utf-8"), package)
    own = {name for name in names if name.startswith("ganbench.") and "__" not in name}
    return {room(name) for name in own}


@pytest.mark.parametrize("module", [name for name in MODULES if name != "ganbench"])
def test_a_module_imports_only_from_below(module):
    own = room(module)
    above = [other for other in imported_rooms(module) - {own} if other not in ORDER[: place(own)]]
    assert above == []


def place(name):
    assert name in ORDER, f"give {name} a place in a floor"
    return ORDER.index(name)


def test_every_module_has_a_floor_and_every_room_exists():
    assert {room(module) for module in MODULES if module != "ganbench"} == set(ORDER)


def test_no_room_stands_twice():
    assert len(ORDER) == len(set(ORDER))


def test_the_front_door_imports_nothing():
    source = MODULES["ganbench"].read_text(encoding="utf-8")
    assert {name for name in imports(source) if name.startswith("ganbench")} == set()


def test_the_report_knows_nothing_of_how_a_run_is_made():
    reached, ahead = set(), {"report"}
    while ahead:
        reached |= ahead
        inside = [module for module in MODULES if module != "ganbench" and room(module) in ahead]
        ahead = {other for module in inside for other in imported_rooms(module)} - reached
    assert reached.isdisjoint({"run", "train", "step", "launch", "plan", "clock", "features"})


# --- Variants ---


def names_of_variants(text):
    """Whether a text is a list of nothing but names of variants."""
    known = {path.stem for path in VARIANTS}
    words = [word.replace("-", "_") for word in re.split(r"[,\s]+", text) if word]
    return bool(words) and known.issuperset(words)


@pytest.mark.parametrize("module", list(MODULES))
def test_nothing_in_ganbench_names_a_variant(module):
    source = MODULES[module].read_text(encoding="utf-8")
    assert not [name for name in imports(source) if name.startswith("ganbench.variants.")]
    constants = [
        node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)
    ]
    assert not [text for text in constants if isinstance(text, str) and names_of_variants(text)]


@pytest.mark.parametrize("path", VARIANTS, ids=lambda path: path.stem)
def test_a_variant_imports_only_public_names_torch_and_pydantic(path):
    source = path.read_text(encoding="utf-8")
    public = {f"ganbench.{name}" for name in ganbench.__all__}
    for name in imports(source):
        package = name.partition(".")[0]
        allowed = name in public or name == "ganbench" or package in {"torch", "pydantic"}
        assert allowed or package in sys.stdlib_module_names, name
    for attribute in re.findall(r"\bganbench\.(\w+)", source):
        assert attribute in ganbench.__all__


def test_there_are_variants_to_look_at():
    assert len(VARIANTS) >= 5


# --- The reader itself ---


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import ganbench.run", {"ganbench.run"}),
        ("from ganbench.run import run_job", {"ganbench.run.run_job"}),
        ("from ganbench import run as r", {"ganbench.run"}),
        ("from .run import run_job", {"ganbench.run.run_job"}),
        ("from . import run", {"ganbench.run"}),
        ("def f():\n    from ganbench import run", {"ganbench.run"}),
        (
            "import importlib\nimportlib.import_module('ganbench.run')",
            {"importlib", "ganbench.run"},
        ),
        ("if TYPE_CHECKING:\n    from ganbench import run", set()),
        ("if typing.TYPE_CHECKING:\n    import a\nelse:\n    import b", {"b"}),
        ("if True:\n    import a", {"a"}),
    ],
)
def test_imports_are_seen_wherever_they_stand(source, names):
    assert imports(source) == names


@pytest.mark.parametrize(
    ("text", "is_list"),
    [
        ("mlp", True),
        ("dcgan-smooth, mlp", True),
        ("dcgan_smooth", True),
        ("an mlp", False),
        ("", False),
    ],
)
def test_a_list_of_variants_is_seen(text, is_list):
    assert names_of_variants(text) == is_list
