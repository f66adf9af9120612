"""Adam and AdamW on the CPU, the same to the last bit as torch's, with less around the kernel.

For networks as small as those of a GAN, torch's optimizers take ten times as long to prepare their
fused kernel as the kernel takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.optim import optimizer as torch_optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

__all__ = ["LeanAdam", "LeanAdamW", "is_possible"]


def is_possible(groups: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the parameters of each group can share one kernel here: of one type, on the CPU."""
    return all(
        {(parameter.device.type, parameter.dtype) for parameter in group["params"]}
        == {("cpu", group["params"][0].dtype)}
        and group["params"][0].dtype.is_floating_point
        for group in groups
    )


class LeanAdam(torch.optim.Adam):
    """Adam with `fused=True`, of groups for which `is_possible` holds."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update all parameters that have gradients."""
        if closure is not None or self._needs_all_of_torch():
            return self._step_of_torch(closure)
        for group in self.param_groups:
            lists: list[list[Tensor]] = [[] for _ in range(6)]
            self._init_group(group, *lists)  # type: ignore[no-untyped-call]
            parameters, gradients, means, squares, largest, steps = lists
            if not parameters:
                continue
            is_decoupled = group["decoupled_weight_decay"]
            kernel = torch._fused_adamw_ if is_decoupled else torch._fused_adam_
            beta1, beta2 = group["betas"]
            torch._foreach_add_(steps, 1)
            kernel(
                parameters, gradients, means, squares, largest, steps,
                lr=group["lr"], beta1=beta1, beta2=beta2, weight_decay=group["weight_decay"],
                eps=group["eps"], amsgrad=group["amsgrad"], maximize=group["maximize"],
            )  # fmt: skip
        return None

    step.hooked = True  # type: ignore[attr-defined]  # torch puts nothing around it

    def _needs_all_of_torch(self) -> bool:
        """Whether gradients are scaled, or somebody waits for steps."""
        return bool(
            getattr(self, "grad_scale", None) is not None
            or getattr(self, "found_inf", None) is not None
            or self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or torch_optimizer._global_optimizer_pre_hooks  # noqa: SLF001 - as torch's own step
            or torch_optimizer._global_optimizer_post_hooks  # noqa: SLF001 - as torch's own step
        )

    def _step_of_torch(self, closure: Callable[[], Any] | None) -> Any:
        step: Callable[..., Any] = torch.optim.Adam.step
        if not getattr(step, "hooked", False):
            step = self.profile_hook_step(step)
        return step(self, closure)


class LeanAdamW(LeanAdam, torch.optim.AdamW):
    """AdamW in the same way."""
