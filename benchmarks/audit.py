"""Do ganbench's numbers agree with what others compute? Scores, statistics, speed and FLOPs.

Each row is one number of ganbench's beside the same number from outside: from the package that its
paper published, from scipy, from a formula written out here, or from a stopwatch. The scores are
computed on random features, several sizes each, and the row shows the case that differs most.

    python -m pip install '.[audit]' && python benchmarks/audit.py
    python benchmarks/audit.py --json > audit.json
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated

import outside
import typer
from command import Report, run
from workloads import Workload

from ganbench.machine.device import Device
from ganbench.scoring.metrics.neighbours import density_coverage, precision_recall


@dataclass(frozen=True)
class Row:
    """A number of ganbench's beside the same from outside, in the case that differs most.

    Attributes:
        what: The number.
        by: Who else computes it.
        cases: How many were compared.
        ganbench: ganbench's number.
        other: The other one.
        absolute: The largest difference of all cases.
        relative: The largest difference over the other number; None where that is 0.
        skipped: Why nothing was compared.
    """

    what: str
    by: str
    cases: int = 0
    ganbench: float | None = None
    other: float | None = None
    absolute: float | None = None
    relative: float | None = None
    skipped: str = ""

    @classmethod
    def of(cls, what: str, by: str, check: Callable[[], outside.Pairs]) -> Row:
        """Compare all cases; a package that is not installed skips them."""
        try:
            with warnings.catch_warnings(action="ignore"):  # of old packages on newer ones
                pairs = list(check())
        except ImportError as error:
            why = f"{error.name or 'a package'} is missing: pip install 'ganbench[audit]'"
            return cls(what, by, skipped=why)
        ours, other = max(pairs, key=lambda pair: abs(pair[0] - pair[1]))
        shares = [abs(one - two) / abs(two) for one, two in pairs if two]
        largest = max(shares, default=None)
        return cls(what, by, len(pairs), ours, other, abs(ours - other), largest)


def audit(
    device: Device,
    *,
    variant: Annotated[str, typer.Option(help="Variant whose speed is compared.")] = "mlp",
    rounds: Annotated[int, typer.Option(min=1, help="Turns of the speed's comparison.")] = 7,
    steps: Annotated[int, typer.Option(min=5, help="Steps of a turn.")] = 45,
) -> Report:
    """Compare ganbench's numbers with those of others."""
    work, linear = Workload.of(variant), Workload.of("mlp", images=1000)
    by_hand = "formula, by hand"
    rows = [
        Row.of("precision", "prdc", outside.neighbours(precision_recall, 0, "precision", 3)),
        Row.of("recall", "prdc", outside.neighbours(precision_recall, 1, "recall", 3)),
        Row.of("density", "prdc", outside.neighbours(density_coverage, 0, "density", 5)),
        Row.of("coverage", "prdc", outside.neighbours(density_coverage, 1, "coverage", 5)),
        Row.of("FID", "pytorch-fid", outside.frechet_distance),
        Row.of("Vendi score", "vendi-score", outside.vendi_score),
        Row.of("clipped density", "scipy", outside.clipped_scores(0)),
        Row.of("clipped coverage", "scipy", outside.clipped_scores(1)),
        Row.of("MIND", "scipy's assignment", outside.monge_distance),
        Row.of("Holm's p-values", by_hand, outside.holm_by_hand),
        Row.of("power of the t-test", "scipy's noncentral t", outside.power_by_tails),
        Row.of("p-value of the paired t-test", "scipy", outside.paired_t_test),
        Row.of("FLOPs of a convolution's step", by_hand, outside.convolution_flops),
        Row.of("FLOPs of a training step of mlp", by_hand, outside.step_flops(linear, device)),
        Row.of(f"images/s of {variant}", "stopwatch", outside.speed(work, device, rounds, steps)),
    ]
    return Report(
        "ganbench's numbers beside those of others",
        ["number", "by", "cases", "ganbench", "outside", "largest difference", "relative"],
        [_cells(row) for row in rows],
        [asdict(row) for row in rows],
        "the case that differs most; images/s: the round with the median ratio",
    )


def _cells(row: Row) -> list[str]:
    if row.skipped:
        return [row.what, row.by, "", "", "", "skipped", row.skipped]
    numbers = [f"{value:.6g}" for value in (row.ganbench, row.other) if value is not None]
    relative = "" if row.relative is None else f"{row.relative:.1e}"
    return [row.what, row.by, str(row.cases), *numbers, f"{row.absolute:.1e}", relative]


if __name__ == "__main__":
    run(audit)
