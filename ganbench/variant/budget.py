"""How long a run trains: in epochs, steps, thousands of images, minutes or seconds."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ganbench.errors import UsageError

__all__ = ["Budget"]

Unit = Literal["epochs", "steps", "kimg", "min", "s"]

_SPELLINGS: dict[str, Unit] = {
    "epoch": "epochs", "epochs": "epochs",
    "step": "steps", "steps": "steps",
    "kimg": "kimg",
    "min": "min", "mins": "min", "minute": "min", "minutes": "min", "m": "min",
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
}  # fmt: skip
_PATTERN = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-zA-Z]+)\s*")
_ALLOWED = "give a number and a unit, for example 25epochs, 20000steps, 500kimg, 10min or 20s"


@dataclass(frozen=True)
class Budget:
    """An amount of training, such as `Budget(25, "epochs")`.

    An epoch is as many images as the training split holds, and `kimg` is a thousand real images.
    Minutes and seconds count the training clock alone: drawing samples, saving and scoring are
    not charged.
    """

    amount: float
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read a budget such as `"25epochs"`.

        Raises:
            UsageError: The text has no unit, an unknown unit, or an amount that is not positive.
        """
        match = _PATTERN.fullmatch(str(text))
        if match is None:
            raise UsageError(f"budget {text!r} cannot be read: {_ALLOWED}")
        unit = _SPELLINGS.get(match[2].lower())
        if unit is None:
            raise UsageError(f"budget {text!r} has the unknown unit {match[2]!r}: {_ALLOWED}")
        amount = float(match[1])
        if not 0 < amount < math.inf:
            raise UsageError(f"budget {text!r} is not positive and finite: {_ALLOWED}")
        return cls(amount, unit)

    @property
    def is_time(self) -> bool:
        """Whether the budget is counted in seconds of the training clock."""
        return self.unit in ("min", "s")

    @property
    def seconds(self) -> float:
        """Seconds of the training clock; infinite where the budget counts images or steps."""
        return {"min": 60.0, "s": 1.0}.get(self.unit, math.inf) * self.amount

    def steps(self, *, batch_size: int, train_count: int) -> int | None:
        """Training steps that the budget allows, or None where time decides.

        Args:
            batch_size: Real images that one step consumes.
            train_count: Images in the training split.
        """
        if self.is_time:
            return None
        if self.unit == "steps":
            return max(1, round(self.amount))
        images = self.amount * (1000 if self.unit == "kimg" else train_count)
        return max(1, math.ceil(round(images, 6) / batch_size))

    def __str__(self) -> str:
        return f"{Decimal(repr(self.amount)).normalize():f}{self.unit}"  # exact, and no 1e+06
