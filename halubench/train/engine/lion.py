"""Lion with decoupled weight decay, the optimizer of the published Lynx run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


class DecoupledLion(torch.optim.Optimizer):  # type: ignore[misc]
    """Every weight moves by the learning rate, in the direction of the smoothed gradient's sign.

    Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms" (arXiv 2302.06675),
    algorithm 2. As in Composer's ``DecoupledLionW`` the weight decay is multiplied by
    ``lr / peak lr`` and not by ``lr`` (Loshchilov and Hutter 2019, arXiv 1711.05101). One state
    of the shape and type of the weight; weights may be DTensors.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "weight_decay": weight_decay, "peak_lr": lr}
        super().__init__(params, defaults)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: None = None) -> None:
        """Move every weight that has a gradient; there is no ``closure`` to evaluate again."""
        del closure
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum = state["momentum"]
        (fast, slow), lr, peak = group["betas"], group["lr"], group["peak_lr"]
        if group["weight_decay"] and peak:
            weight.mul_(1 - group["weight_decay"] * lr / peak)
        weight.add_(torch.lerp(weight.grad, momentum, fast).sign_(), alpha=-lr)
        momentum.lerp_(weight.grad, 1 - slow)
