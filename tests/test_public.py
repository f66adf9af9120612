"""What `import ganbench` offers, and what it costs."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import ganbench

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "pandas", "seaborn", "matplotlib", "sklearn", "torch_fidelity")
LIGHT = [
    "ganbench",
    "ganbench.cli.app",
    "ganbench.data",
    "ganbench.data.catalogue",
    "ganbench.scoring.metrics",
    "ganbench.scoring.metrics.catalogue",
    "ganbench.experiment.plan",
    "ganbench.variant.registry",
    "ganbench.report",
    "ganbench.variant.definition",
]


def run(program):
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_public_names_are_sorted_and_each_is_there():
    assert ganbench.__all__ == sorted(ganbench.__all__)
    for name in ganbench.__all__:
        assert getattr(ganbench, name) is not None


def test_a_star_import_brings_exactly_the_public_names():
    names = {}
    exec("from ganbench import *", names)
    assert sorted(set(names) - {"__builtins__"}) == ganbench.__all__


def test_the_public_names_are_listed_before_they_are_loaded():
    names = run("import ganbench; print(*dir(ganbench))").split()
    assert names == sorted([*ganbench.__all__, "__version__"])


def test_a_public_name_is_the_one_of_its_module():
    for name in ("Budget", "Recipe", "Variant", "UsageError"):
        home = importlib.import_module(getattr(ganbench, name).__module__)
        assert getattr(home, name) is getattr(ganbench, name)


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="module 'ganbench' has no attribute 'nonsense'"):
        _ = ganbench.nonsense


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ganbench.__version__ == project["version"]


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_light_module_loads_nothing_heavy(module):
    program = f"import sys, {module}; print(*sorted(sys.modules.keys() & set({HEAVY!r})))"
    assert run(program) == ""


def test_importing_ganbench_loads_no_other_package():
    before = (
        "import sys; before = set(sys.modules); import ganbench; new = set(sys.modules) - before"
    )
    loaded = run(f"{before}; print(*(new - set(sys.stdlib_module_names)))").split()
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {"ganbench"}


def test_a_second_copy_of_the_variants_is_refused():
    program = "import sys; sys.path.insert(0, sys.argv[1]); import variants"
    command = [sys.executable, "-c", program, str(ROOT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ImportError: this package is ganbench.variants, not variants" in done.stderr
