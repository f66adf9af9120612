"""The notebook and the page on Python are run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
PAGE = (ROOT / "docs" / "score.md").read_text(encoding="utf-8")


def test_every_flag_that_the_page_names_exists():
    from typer.testing import CliRunner

    from ganbench.cli.app import app

    texts = [
        CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for command in ("score", "sample", "export", "run")
    ]
    flags = set(re.findall(r"(--[a-z][\w-]+)", PAGE))
    assert {"--against", "--images", "--format", "--range"} <= flags
    assert [flag for flag in flags - {"--set"} if not any(flag in text for text in texts)] == []


@pytest.mark.slow
def test_the_python_of_the_page_runs(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    script = tmp_path / "page.py"
    script.write_text(
        f"from pathlib import Path\nout = Path({str(tmp_path / 'out')!r})\n{code}"
        "assert scored.images == 1438\nassert set(again.variants) == {'mlp', 'dcgan'}\n"
    )
    # a script without a guard: the processes of the runs must not begin it again
    done = subprocess.run(
        [sys.executable, script], check=False, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Jupyter's own
def test_the_notebook_runs_from_its_first_cell_to_its_last(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=600, resources=resources).execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert sum("image/png" in data for data in shown) >= 3
    assert sum("text/html" in data for data in shown) >= 4


def test_the_notebook_is_stored_with_what_it_shows():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not re.search(r"/tmp/|/root/|/home/", json.dumps(outputs))
