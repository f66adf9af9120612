"""The README's tutorial is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganbench.check import check
from ganbench.variant.registry import resolve

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def tutorial(tmp_path: Path) -> Path:
    """The variant of the tutorial, saved under the name that the README gives it."""
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    (name,) = re.findall(r"save it as `(\w+\.py)`", README)
    path = tmp_path / name
    path.write_text(code, encoding="utf-8")
    return path


def test_the_tutorials_variant_fits_one_screen(tutorial):
    assert len(tutorial.read_text(encoding="utf-8").splitlines()) <= 45


def test_the_tutorials_variant_keeps_the_contract(tutorial):
    lines = check(resolve([str(tutorial)])[0])
    assert lines
    assert [line for line in lines if not line.ok] == []


def test_every_variant_and_flag_that_the_readme_names_exists():
    from typer.testing import CliRunner

    from ganbench.cli.app import app

    help_text = "".join(
        CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for command in ("run", "selftest", "throughput")
    )
    for flag in re.findall(r"^\| `(--[\w-]+)", README, flags=re.MULTILINE):
        assert flag in help_text
    for name in re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE):
        if not name.startswith("--"):
            assert resolve([name])
