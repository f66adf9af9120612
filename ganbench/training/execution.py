"""How the step is carried out: its number format, compiled or not, captured or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ganbench.errors import UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["EAGER", "Execution", "Precision"]

_SKIPPING_OPTIMIZERS = ("adam", "adamw", "sgd")  # fused, they skip a step without a wait

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class Execution:
    """How the step is carried out, on the same numbers of the recipe.

    Attributes:
        precision: Format of the networks' arithmetic in training. Weights, moments and losses are
            float32 in each; `fp16` scales the gradients, so that small ones do not vanish.
        compile: Whether `torch.compile` translates networks and losses first.
        cuda_graphs: Whether the whole step is captured as one CUDA graph.
    """

    precision: Precision = "fp32"
    compile: bool = False
    cuda_graphs: bool = False

    @property
    def is_prepared(self) -> bool:
        """Whether something is done before the first step, which takes time of its own."""
        return self.compile or self.cuda_graphs

    @property
    def changed(self) -> dict[str, str | bool]:
        """What differs from the default, by name."""
        plain = Execution()
        return {
            name: getattr(self, name)
            for name in ("precision", "compile", "cuda_graphs")
            if getattr(self, name) != getattr(plain, name)
        }

    @property
    def dtype(self) -> torch.dtype:
        """The number format as PyTorch names it."""
        import torch

        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[
            self.precision
        ]

    @property
    def text(self) -> str:
        """How, in words: `bf16, compiled`."""
        parts: list[str] = [self.precision]
        parts += ["compiled"] if self.compile else []
        parts += ["captured as a CUDA graph"] if self.cuda_graphs else []
        return ", ".join(parts)

    def check(self, device: str) -> None:
        """See that a kind of device can do it.

        Raises:
            UsageError: It cannot.
        """
        if self.precision == "fp16" and device != "cuda":
            raise UsageError(
                f"--precision fp16 needs a CUDA device, and this is {device}: "
                "its gradients have to be scaled there; give bf16 or fp32"
            )
        if self.cuda_graphs and device != "cuda":
            raise UsageError(
                f"--cuda-graphs needs a CUDA device, and this is {device}: leave it out"
            )

    def check_optimizer(self, optimizer: str) -> None:
        """See that an optimizer can skip a step on the device, where gradients are scaled.

        Raises:
            UsageError: It cannot.
        """
        if self.precision == "fp16" and optimizer not in _SKIPPING_OPTIMIZERS:
            raise UsageError(
                f"--precision fp16 cannot be used with optimizer={optimizer}, which does not skip "
                f"a step by itself: allowed are {', '.join(_SKIPPING_OPTIMIZERS)}; "
                "or give bf16 or fp32"
            )


EAGER = Execution()
"""The default: float32, neither compiled nor captured."""
