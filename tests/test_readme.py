"""The README's tutorial is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from ganbench.check import check
from ganbench.variant.registry import resolve

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.md")}


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


@pytest.mark.parametrize("command", ["run", "selftest", "throughput", "play"])
def test_every_flag_that_a_commands_page_names_exists(command):
    from typer.testing import CliRunner

    from ganbench.cli.app import app

    help_text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    flags = re.findall(r"^\| `(--[\w-]+)", PAGES[command], flags=re.MULTILINE)
    assert len(flags) >= 2
    assert [flag for flag in flags if flag not in help_text] == []


def test_every_variant_that_the_readme_names_exists():
    names = re.findall(r"^\| `([a-z-]+)` \|", README, flags=re.MULTILINE)
    assert names
    assert [entry.name for entry in resolve(names)] == names


def test_every_page_that_is_linked_exists():
    links = re.findall(r"\]\(([\w/.-]+\.md)\)", README)
    assert {"docs/variants.md", "docs/run.md"} <= set(links)
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_picture_of_the_first_result_is_there_and_small():
    (name,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    picture = ROOT / name
    first_screen = README[: README.index("## What there is")]
    assert name in first_screen
    assert picture.stat().st_size < 100_000
    with Image.open(picture) as image:
        assert image.width >= 800  # a person can read the digits
