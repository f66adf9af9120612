"""What is built for others: the wheel's contents, and that it works far from this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = ("pyproject.toml", "README.md", "ganbench", "variants", "benchmarks", "results", "tests")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without network from a copy, so that nothing is left here."""
    copy = tmp_path_factory.mktemp("copy")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "runs")
            )
        else:
            shutil.copy(ROOT / name, copy / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "built", "."],
        cwd=copy, check=True, capture_output=True, text=True,
    )  # fmt: skip
    (built,) = (copy / "built").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that holds the wheel's contents, as `pip install --target` would leave it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


PUBLISHED = "ganbench/scoring/backbones/published"


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {PurePosixPath(name) for name in archive.namelist()}


def sources(folder, *patterns):
    return {
        path.relative_to(ROOT) for pattern in patterns for path in (ROOT / folder).rglob(pattern)
    }


def test_the_wheel_is_for_any_python_and_machine(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")


def test_the_wheel_holds_every_module_template_and_the_mark_of_types(wheel):
    patterns = ("*.py", "*.jinja", "*.html", "*.css", "*.js", "py.typed")
    wanted = {PurePosixPath(path) for path in sources("ganbench", *patterns)}
    assert len(wanted) > 20
    assert PurePosixPath("ganbench/py.typed") in wanted
    assert wanted <= contents(wheel)


def test_the_wheel_holds_the_variants_inside_the_package(wheel):
    wanted = {PurePosixPath("ganbench", path) for path in sources("variants", "*.py")}
    assert len(wanted) >= 6
    assert wanted <= contents(wheel)


def test_the_wheel_holds_nothing_else(wheel):
    tops = {path.parts[0] for path in contents(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ganbench"}
    others = contents(wheel) - sources(PUBLISHED, "*")
    kinds = {path.suffix for path in others if path.parts[0] == "ganbench"}
    assert kinds <= {".py", ".jinja", ".html", ".css", ".js", ".typed"}


def test_the_wheel_holds_the_classifiers_that_ship_with_it(wheel):
    files = {PurePosixPath(path) for path in sources(PUBLISHED, "*.npz", "*.json", "*.md")}
    assert len(files) == 5
    assert files <= contents(wheel)


def test_the_wheel_is_small(wheel):
    assert wheel.stat().st_size < 2_500_000  # 1.2 MB are classifiers, the rest is text


def test_the_wheel_brings_the_command(installed):
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "ganbench = ganbench.cli.app:script" in entry_points.read_text()


def test_the_wheel_brings_the_trackers(installed):
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    _, _, trackers = entry_points.read_text().partition("[ganbench.trackers]\n")
    names = [line.partition(" = ")[0] for line in trackers.splitlines() if " = " in line]
    assert names == ["mlflow", "tensorboard", "trackio", "wandb"]


def test_the_wheel_works_in_another_directory(installed, tmp_path):
    program = (
        "from pathlib import Path; import ganbench;"
        "from ganbench.variant.registry import entries, expand;"
        "print(Path(ganbench.__file__).parents[1]);"
        "print(*[Path(entry.origin).parents[2] for entry in entries()], sep='\\n');"
        "print(*[entry.problem for entry in entries()], sep='');"
        "print(len(expand(['all'])[0]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = done.stdout.split("\n")
    count = len(list((ROOT / "variants").glob("[!_]*.py")))
    assert lines == [*[str(installed)] * (1 + count), "", str(count), ""]
