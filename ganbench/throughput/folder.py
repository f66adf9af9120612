"""The folder of a sweep: README, CSV, JSON and the chart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.errors import UsageError
from ganbench.experiment.lock import is_empty
from ganbench.experiment.store import ResultsFolder, first_dated_folder, today, write_text, writing
from ganbench.machine.whole_files import write_whole
from ganbench.throughput.chart import chart_png
from ganbench.throughput.curve import KNEE_SHARE, rows_csv
from ganbench.throughput.readme import readme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.throughput.curve import Row
    from ganbench.throughput.peak import Machine

__all__ = ["choose_folder", "describe", "write"]

SCHEMA = 1
_JSON = "throughput.json"


def choose_folder(out: Path | None, device: str, *, fresh: bool) -> Path:
    """The folder that was named, or the first of today that is new; it can be written afterwards.

    Args:
        out: As named with `--out`, or None.
        device: Kind of the device.
        fresh: Whether an earlier sweep in `out` may be replaced.

    Raises:
        UsageError: The folder cannot be written, or holds something that would be lost.
    """
    if out is None:
        out = first_dated_folder(f"{device}_throughput", lambda _path: False)
    elif not is_empty(out):
        if not (out / _JSON).is_file():
            raise UsageError(
                f"{out} is not empty and holds no throughput of ganbench: "
                "give another folder with --out"
            )
        if not fresh:
            raise UsageError(
                f"{out} holds an earlier measurement: give another folder with --out, "
                "or --fresh to replace it"
            )
    ResultsFolder(out).prepare()
    return out


def describe(rows: Sequence[Row], machine: Machine, conditions: dict[str, Any]) -> dict[str, Any]:
    """All measurements with their conditions, as throughput.json stores them."""
    return {
        "schema": SCHEMA,
        **conditions,
        "created": today(),
        "knee_share": KNEE_SHARE,
        "machine": {
            "flops_per_second": machine.flops_per_second,
            "best_product": machine.best_product,
            "products": machine.products,
            "bytes_per_second": machine.bytes_per_second,
        },
        "points": [row.values() for row in rows],
    }


def write(folder: Path, rows: Sequence[Row], document: dict[str, Any]) -> None:
    """Write all files; a chart only where something was measured.

    Args:
        folder: Where to write.
        rows: The points beside their limits.
        document: From `describe`.

    Raises:
        UsageError: Something cannot be written; the measurements come first.
    """
    png = chart_png(rows, f"{document['environment']['device_name']} · {document['execution']}")
    chart = folder / "charts" / "throughput.png"
    with writing(folder):
        write_text(folder / _JSON, json.dumps(document, indent=1) + "\n", durable=True)
        write_text(folder / "throughput.csv", rows_csv(rows))
        if png is None:
            chart.unlink(missing_ok=True)
        else:
            chart.parent.mkdir(parents=True, exist_ok=True)
            write_whole(chart, png)
        write_text(folder / "README.md", readme(rows, document, has_chart=png is not None))
