"""Rows of a sweep: points, each variant's knee, and shares of the limit."""

from __future__ import annotations

import csv
import dataclasses
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.data.catalogue import short_dataset
from ganbench.visible import spreadsheet_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.throughput.peak import Machine
    from ganbench.throughput.point import Point

__all__ = ["COLUMNS", "KNEE_SHARE", "Row", "rows_csv", "rows_of"]

KNEE_SHARE = 0.95
"""The knee is the smallest batch with this share of the variant's best images per second."""

COLUMNS = (
    "variant", "batch_size", "status", "reason", "knee", "images_per_second",
    "step_seconds_median", "step_seconds_p95", "timed_steps", "flops_per_image", "achieved_flops",
    "peak_flops", "share_of_peak", "limit_images_per_second", "bytes_per_image",
    "arithmetic_intensity", "memory_bandwidth", "roofline_images_per_second",
    "peak_memory_bytes", "dataset", "image_size", "training_precision", "compiled", "captured",
    "compile_seconds",
)  # fmt: skip
"""The columns of throughput.csv, on which scripts may rely."""


@dataclass(frozen=True)
class Row:
    """A point beside the limits of the machine that it was measured on."""

    point: Point
    machine: Machine
    is_knee: bool

    @property
    def images(self) -> str:
        """Dataset and size whose shape the random images have: `mnist 28×28`."""
        size = self.point.image_size
        return "" if size is None else f"{short_dataset(self.point.dataset)} {size}×{size}"

    @property
    def achieved_flops(self) -> float | None:
        """Counted operations per second."""
        if self.point.images_per_second is None or self.point.flops_per_image is None:
            return None
        return self.point.images_per_second * self.point.flops_per_image

    @property
    def share_of_peak(self) -> float | None:
        """Counted operations per second over those of the best matrix product."""
        achieved = self.achieved_flops
        return None if achieved is None else achieved / self.machine.flops_per_second

    @property
    def limit_images_per_second(self) -> float | None:
        """The arithmetic limit: images per second if all time went into products at the peak."""
        return self._rate(self.machine.flops_per_second)

    @property
    def arithmetic_intensity(self) -> float | None:
        """Counted operations per byte of memory moved; an estimate, as the bytes are."""
        flops, moved = self.point.flops_per_image, self.point.bytes_per_image
        return flops / moved if flops is not None and moved else None

    @property
    def roofline_images_per_second(self) -> float | None:
        """Images per second that the roofline model allows; an estimate, as the bytes are."""
        intensity = self.arithmetic_intensity
        return None if intensity is None else self._rate(self.machine.roofline(intensity))

    def _rate(self, flops_per_second: float) -> float | None:
        flops = self.point.flops_per_image
        return flops_per_second / flops if flops else None

    def values(self) -> dict[str, Any]:
        """Each column's value; None where there is none."""
        own = {
            "knee": self.is_knee,
            "achieved_flops": self.achieved_flops,
            "peak_flops": self.machine.flops_per_second,
            "share_of_peak": self.share_of_peak,
            "limit_images_per_second": self.limit_images_per_second,
            "arithmetic_intensity": self.arithmetic_intensity,
            "memory_bandwidth": self.machine.bytes_per_second,
            "roofline_images_per_second": self.roofline_images_per_second,
        }
        values = {**dataclasses.asdict(self.point), **own}
        return {name: values[name] for name in COLUMNS}


def rows_of(points: Sequence[Point], machine: Machine) -> list[Row]:
    """Set each point beside the machine's limits, and mark each variant's knee."""
    knees = [_knee([point for point in points if point.variant == name]) for name in _names(points)]
    return [Row(point, machine, is_knee=any(point is knee for knee in knees)) for point in points]


def _names(points: Sequence[Point]) -> list[str]:
    return list(dict.fromkeys(point.variant for point in points))


def _knee(points: Sequence[Point]) -> Point | None:
    """The smallest batch within `KNEE_SHARE` of the fastest; None without a speed."""
    rates = [(point.images_per_second or 0.0, point) for point in points]
    best = max(rate for rate, _ in rates)
    if best <= 0:
        return None
    return next(point for rate, point in rates if rate >= KNEE_SHARE * best)


def rows_csv(rows: Sequence[Row]) -> str:
    """All columns of all rows; what was not measured is empty, yes is 1 and no is 0."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        values = row.values().items()
        writer.writerow(
            {
                name: int(entry) if isinstance(entry, bool) else spreadsheet_text(entry)
                for name, entry in values
            }
        )
    return text.getvalue()
