"""Who may import whom, read from the source: ganbench is a house that is built from the ground."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import ganbench

ROOT = Path(__file__).parents[1]

README = (ROOT / "README.md").read_text(encoding="utf-8")

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "ganbench").rglob("*.py"))
}
OPENED = ("augmentation", "losses", "networks", "text")  # modules of ganbench.variant
PUBLIC = {"ganbench", *(f"ganbench.{name}" for name in OPENED)}


def house_map(text):
    """Modules and captions of the README's map, from the top of the house to its ground."""
    (block,) = re.findall(r"```\nganbench/\n(.*?)```", text, flags=re.DOTALL)
    captions, room = {}, ""
    for line in block.splitlines():
        name, caption = line.split(maxsplit=1)
        is_room = line.startswith("  ") and not line.startswith("   ")
        room = name if is_room else room
        path = name if is_room else f"{room}{name}"
        captions[".".join(["ganbench", *path.strip("/").split("/")])] = caption
    return captions


CAPTIONS = house_map(README)
ORDER = list(CAPTIONS)

VARIANTS = sorted((ROOT / "variants").glob("[!_]*.py"))


def module_of(name):
    """The module that a dotted name lies in, or None: `ganbench.errors.UsageError` in `errors`."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


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


def imported_modules(module):
    """Modules of ganbench that a module imports."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = imports(path.read_text(encoding="utf-8"), package)
    return {found for name in names if (found := module_of(name))} - {module, "ganbench"}


@pytest.mark.parametrize("module", [name for name in MODULES if name not in PUBLIC])
def test_a_module_imports_only_modules_that_stand_below_it(module):
    below = ORDER[ORDER.index(module) + 1 :]
    assert [other for other in imported_modules(module) if other not in below] == []


def test_the_map_in_the_readme_names_every_module_once():
    assert set(ORDER) == set(MODULES) - PUBLIC


@pytest.mark.parametrize("module", [name for name in MODULES if name not in PUBLIC])
def test_the_map_says_of_a_module_what_its_first_line_says(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    first = (ast.get_docstring(tree) or "").partition("\n")[0]
    assert CAPTIONS[module] == first.rstrip(".")


@pytest.mark.parametrize("module", sorted(PUBLIC))
def test_the_front_door_imports_nothing_but_what_it_opens(module):
    opened = module.replace("ganbench.", "ganbench.variant.") if "." in module else None
    assert imported_modules(module) <= {opened}


def test_the_report_knows_nothing_of_how_a_run_is_made():
    reached, ahead = set(), {name for name in MODULES if name.startswith("ganbench.report")}
    while ahead:
        reached |= ahead
        ahead = {other for module in ahead for other in imported_modules(module)} - reached
    rooms = {tuple(module.split(".")[1:2]) for module in reached}
    assert rooms.isdisjoint({("launch",), ("throughput",), ("check",)})
    assert "ganbench.training.step" not in reached


# --- Variants ---


def names_of_variants(text):
    """Whether a text is a list of nothing but names of variants."""
    known = {path.stem for path in VARIANTS}
    words = [word.replace("-", "_") for word in re.split(r"[,\s]+", text) if word]
    return bool(words) and known.issuperset(words)


NAME_NETWORKS = (
    "ganbench.variant.composed",
    "ganbench.variant.networks.choice",
    "ganbench.variant.on_points",
)
"""Modules with the names of networks, two of which are names of variants too."""


@pytest.mark.parametrize("module", [name for name in MODULES if name not in NAME_NETWORKS])
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
