"""The peak of a machine, measured: matrix products, and copying memory.

The peak is the rate of the best product, and each product's rate is sustained over a good part of a
second: on a machine that others use, a single short product may run between their work, which no
training step can. It is measured in the same process as the step, with the same threads, and close
to it in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from ganbench.machine.device import Device

__all__ = ["PEAK_SECONDS", "Machine", "measure_machine"]

_SQUARES = {"cpu": (512, 1024, 2048), "mps": (1024, 2048, 4096), "cuda": (2048, 4096, 8192)}
PEAK_SECONDS = 0.4  # per product
_FEWEST_REPEATS = 3
_COPY_BYTES = 1 << 29  # above the largest caches of processors
_COPY_SHARE = 8  # of the free memory, one part in eight
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Machine:
    """The rates that were measured.

    Attributes:
        products: Floating-point operations per second, by the name of the product.
        bytes_per_second: Memory read and written per second while copying a large tensor.
    """

    products: dict[str, float]
    bytes_per_second: float

    @property
    def best_product(self) -> str:
        """The product that ran at the highest rate."""
        return max(self.products, key=lambda name: self.products[name])

    @property
    def flops_per_second(self) -> float:
        """The peak: the highest rate of any product."""
        return self.products[self.best_product]

    def joined(self, other: Self) -> Self:
        """The better of two measurements, rate by rate."""
        names = {**self.products, **other.products}
        return type(self)(
            {name: max(self.products.get(name, 0), other.products.get(name, 0)) for name in names},
            max(self.bytes_per_second, other.bytes_per_second),
        )

    def roofline(self, arithmetic_intensity: float) -> float:
        """Operations per second that memory and arithmetic allow together (Williams et al. 2009).

        The roofline model, doi:10.1145/1498765.1498785.

        Args:
            arithmetic_intensity: Floating-point operations per byte of memory moved.
        """
        return min(self.flops_per_second, arithmetic_intensity * self.bytes_per_second)


def measure_machine(
    device: Device,
    *,
    dtype: torch.dtype = torch.float32,
    seconds: float = PEAK_SECONDS,
    squares: tuple[int, ...] | None = None,
) -> Machine:
    """Measure what a device sustains.

    Products are square matrices of several sizes, and one strided convolution of the shape of a
    DCGAN's, without padding, so that every counted multiplication is done. A product may use the
    same numbers inside as one in a training step: TF32 on CUDA.

    Args:
        device: Where to measure.
        dtype: Number format of the products.
        seconds: Seconds spent on each product and on the copy.
        squares: Rows of the square matrices; if left out, sizes that suit the kind of device.
    """
    products = {}
    with device.training():
        for size in _SQUARES[device.kind] if squares is None else squares:
            products[f"{size}×{size}"] = _square(device, size, dtype, seconds)
        products["convolution"] = _convolution(device, dtype, seconds)
    machine = Machine(products, _copy(device, seconds))
    device.release_memory()
    return machine


def _square(device: Device, size: int, dtype: torch.dtype, seconds: float) -> float:
    left, right = torch.rand(2, size, size, device=device.torch, dtype=dtype)
    product = torch.empty_like(left)
    return _rate(device, 2 * size**3, lambda: torch.mm(left, right, out=product), seconds)


def _convolution(device: Device, dtype: torch.dtype, seconds: float) -> float:
    """128 to 256 channels, a kernel of 4×4 in strides of 2, onto a map of 8×8; batch 64."""
    images = torch.rand(64, 128, 18, 18, device=device.torch, dtype=dtype)
    images = images.to(memory_format=torch.channels_last)
    weight = torch.rand(256, 128, 4, 4, device=device.torch, dtype=dtype)
    weight = weight.to(memory_format=torch.channels_last)
    flops = 2 * (64 * 256 * 8 * 8) * (128 * 4 * 4)
    return _rate(device, flops, lambda: F.conv2d(images, weight, stride=2), seconds)


def _copy(device: Device, seconds: float) -> float:
    size = min(_COPY_BYTES, device.free_memory_bytes() // _COPY_SHARE)
    source = torch.ones(max(1, size // _FLOAT_BYTES), device=device.torch)
    target = torch.zeros_like(source)
    moved = 2 * source.numel() * _FLOAT_BYTES
    return _rate(device, moved, lambda: target.copy_(source), seconds)


def _rate(device: Device, work: float, function: Callable[[], object], seconds: float) -> float:
    """Repeat for some seconds after one warm-up call; work done per second, on average."""
    with torch.no_grad():
        function()
        device.synchronize()
        spent, repeats = 0.0, 0
        while repeats < _FEWEST_REPEATS or spent < seconds:
            before = device.event()
            function()
            after = device.event()
            after.synchronize()
            spent += before.elapsed_time(after) / 1000
            repeats += 1
    return work * repeats / spent
