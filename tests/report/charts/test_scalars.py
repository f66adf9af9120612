"""The chart of what losses record besides."""

from __future__ import annotations

import results_doubles as doubles

from ganbench.report import build
from ganbench.report.charts.scalars import further_columns


def with_scalar(run_folder, name="r1_penalty"):
    file = run_folder / "history.csv"
    head, *rows = file.read_text().splitlines()
    file.write_text("\n".join([f"{head},{name}", *(f"{row},0.5" for row in rows)]) + "\n")


def test_scalars_of_a_variants_own_losses_are_charted(tmp_path):
    folder = doubles.write(tmp_path, [doubles.result()])
    build([folder])
    assert not list((folder / "charts").glob("scalars-*.png"))
    with_scalar(next((folder / "runs").iterdir()))
    build([folder])
    (chart,) = (folder / "charts").glob("scalars-*.png")
    assert chart.stat().st_size > 1000
    assert "What the variants" in (folder / "README.md").read_text()


def test_columns_that_every_run_has_are_no_scalars_of_their_own(tmp_path):
    import pandas as pd

    folder = doubles.write(tmp_path, [doubles.result()])
    (file,) = (folder / "runs").glob("*/history.csv")
    assert further_columns(pd.read_csv(file)) == []
