"""Numbers of ganbench's, each beside the same number from outside: what `audit.py` compares.

Each check gives pairs: ganbench's number and the other one. A check that needs a package which is
not installed raises an ImportError.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy import optimize, stats
from scipy.spatial import distance
from torch import nn
from workloads import NEVER

from ganbench.report.comparison.power import power
from ganbench.report.comparison.statistics import holm, paired_difference
from ganbench.scoring.metrics.clipped import clipped_density_coverage
from ganbench.scoring.metrics.diversity import vendi
from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.mind import mind
from ganbench.throughput.flops import count
from ganbench.training.loop import train
from ganbench.training.step import train_step
from ganbench.variant.budget import Budget

if TYPE_CHECKING:
    from workloads import Workload

    from ganbench.machine.device import Device

__all__ = [
    "Pairs",
    "clipped_scores",
    "convolution_flops",
    "frechet_distance",
    "holm_by_hand",
    "monge_distance",
    "neighbours",
    "paired_t_test",
    "power_by_tails",
    "speed",
    "step_flops",
    "vendi_score",
]

_SIZES = ((200, 8), (500, 64), (1500, 16))  # images and entries of the features
_POWERS = [(effect, n) for effect in (0.2, 0.5, 1.0, 2.0) for n in (2, 3, 5, 10, 30)]
_BARE_WARMUP_STEPS = 5

Pairs = Iterator[tuple[float, float]]


def _features() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Real and generated features of several sizes: two Gaussians that overlap."""
    for seed, (images, entries) in enumerate(_SIZES):
        stream = torch.Generator().manual_seed(seed)
        real = torch.randn(images, entries, generator=stream, dtype=torch.float64)
        fake = 0.8 * torch.randn(images, entries, generator=stream, dtype=torch.float64) + 0.3
        yield real, fake


# Scores


def neighbours(ours: Callable[..., Any], place: int, name: str, k: int) -> Callable[[], Pairs]:
    """One of the scores from nearest neighbours, beside the code of Naeem et al. 2020.

    Args:
        ours: ganbench's function, which computes two of them.
        place: Which of the two.
        name: Its name in `prdc`.
        k: Neighbours that make a neighbourhood.
    """

    def check() -> Pairs:
        from prdc import compute_prdc

        for real, fake in _features():
            with contextlib.redirect_stdout(io.StringIO()):  # it tells the counts
                theirs = compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
            yield ours(real, fake, k)[place], float(theirs[name])

    return check


def frechet_distance() -> Pairs:
    """FID beside pytorch-fid's arithmetic, which takes the root of a product of covariances."""
    from pytorch_fid.fid_score import calculate_frechet_distance

    for real, fake in _features():
        moments = [
            moment
            for points in (real.numpy(), fake.numpy())
            for moment in (points.mean(axis=0), np.cov(points, rowvar=False))
        ]
        theirs = float(calculate_frechet_distance(*moments))
        yield fid(Statistics.of(real), Statistics.of(fake)), theirs


def vendi_score() -> Pairs:
    """The Vendi score beside the code of Friedman and Dieng 2022."""
    from vendi_score import vendi as published

    for _, fake in _features():
        yield vendi(fake), float(published.score_dual(fake.numpy(), normalize=True))


def clipped_scores(place: int) -> Callable[[], Pairs]:
    """Clipped Density (0) or Coverage (1), from scipy's distances and distributions."""

    def check() -> Pairs:
        k = 5
        for real, narrow_fake in _features():
            fake = 1.4 * narrow_fake  # so that neither score is at its end
            across, among = (distance.cdist(points, real) for points in (fake, real))
            radii = np.sort(among, axis=1)[:, k]  # a point is its own nearest
            narrow = np.minimum(radii, np.median(radii))
            hits = [np.minimum((one <= narrow).sum(axis=1) - own, k)
                    for one, own in ((across, 0), (among, 1))]  # fmt: skip
            counts = np.arange(len(fake) + 1)
            expected = [stats.betabinom.pmf(counts, good, k, len(real) - k)
                        @ np.minimum(counts, k) for good in counts]  # fmt: skip
            reached = np.minimum((across <= radii).sum(axis=0), k).mean()
            theirs = (
                min(1.0, hits[0].mean() / hits[1].mean()),
                np.searchsorted(expected, reached) / len(counts),
            )
            yield clipped_density_coverage(real, fake, k)[place], float(theirs[place])  # type: ignore[index]

    return check


def monge_distance() -> Pairs:
    """MIND of 60 images of each kind, from scipy's best assignment along each direction."""
    for real, fake in ((real[:60], fake[:60]) for real, fake in _features()):
        stream = torch.Generator().manual_seed(0)
        directions = torch.randn(1000, real.shape[1], generator=stream, dtype=torch.float64)
        total = 0.0
        for direction in (directions / directions.norm(dim=1, keepdim=True)).numpy():
            costs = np.subtract.outer(real.numpy() @ direction, fake.numpy() @ direction) ** 2
            total += float(costs[optimize.linear_sum_assignment(costs)].mean())
        yield mind(real, fake), 3 * real.shape[1] * total / 1000


# Statistics


def holm_by_hand() -> Pairs:
    """Holm's step-down procedure as in his paper, one p-value after the other."""
    numbers = np.random.default_rng(0)
    for many in (1, 2, 5, 20):
        values = numbers.uniform(size=many).tolist()
        corrected = [0.0] * many
        highest = 0.0
        for rank, place in enumerate(sorted(range(many), key=values.__getitem__)):
            highest = max(highest, min(1.0, (many - rank) * values[place]))
            corrected[place] = highest
        yield from zip((item.p_value for item in holm(values)), corrected, strict=True)


def power_by_tails() -> Pairs:
    """The two tails of the noncentral t distribution beyond the critical value."""
    for effect, n in _POWERS:
        freedom, shift = n - 1, effect * n**0.5
        critical = stats.t.ppf(0.975, freedom)
        tails = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
        yield power(effect, n), float(tails)


def paired_t_test() -> Pairs:
    """The p-value of a paired t-test beside scipy's."""
    numbers = np.random.default_rng(1)
    for n in (2, 3, 5, 20):
        left, right = numbers.normal(size=(2, n))
        ours = paired_difference(dict(enumerate(left)), dict(enumerate(right)))
        if ours is not None and ours.p_value is not None:
            yield ours.p_value, float(stats.ttest_rel(left, right).pvalue)


# Operations


def convolution_flops() -> Pairs:
    """A convolution, then a linear layer: a multiplication and an addition are two operations."""
    for batch, channels, width, size in ((2, 1, 4, 16), (8, 3, 8, 32)):
        layers = nn.Conv2d(channels, width, 4, 2, 1), nn.Flatten()
        network = nn.Sequential(*layers, nn.Linear(width * (size // 2) ** 2, 1))
        images = torch.randn(batch, channels, size, size)
        convolution = 2 * batch * width * (size // 2) ** 2 * channels * 4 * 4
        linear = 2 * batch * width * (size // 2) ** 2
        # forward, and backward to the weights; to its inputs only the linear layer
        expected = 2 * convolution + 3 * linear
        yield count(lambda net=network, x=images: net(x).sum().backward()).flops, expected  # type: ignore[misc]


def step_flops(work: Workload, device: Device) -> Callable[[], Pairs]:
    """A whole training step of a variant of linear layers, counted layer by layer."""

    def check() -> Pairs:
        session = work.session(device)
        session.clock.pause()
        batch = work.recipe.batch_size
        sizes = {
            name: [
                layer.in_features * layer.out_features
                for layer in network.modules()
                if isinstance(layer, nn.Linear)
            ]
            for name, network in session.state.networks.items()
        }
        draw, discriminate = sum(sizes["generator"]), sum(sizes["discriminator"])
        first_draw, first_discriminate = sizes["generator"][0], sizes["discriminator"][0]
        products = (
            draw  # the images, drawn once
            + 2 * (3 * discriminate - first_discriminate)  # real and generated ones, no gradient
            + 2 * discriminate  # to the images, through weights that are held
            + 2 * draw - first_draw  # to the generator's weights, not to the latents
        )  # fmt: skip
        batches = session.batches()
        yield count(lambda: train_step(session.state, batches)).flops, 2 * batch * products

    return check


# Speed


def speed(work: Workload, device: Device, rounds: int, steps: int) -> Callable[[], Pairs]:
    """What a short run reports beside a stopwatch around the bare steps, in turns."""

    def check() -> Pairs:
        bare = work.session(device)
        bare.clock.pause()
        for _ in range(_BARE_WARMUP_STEPS):
            train_step(bare.state, bare.batches())
        ratios = []
        for _ in range(rounds):
            run = work.session(device)
            run.clock.pause()
            run.steps = 0  # the first steps, which are all measured
            for _event in train(run, Budget(steps, "steps"), NEVER):
                pass
            reported = run.clock.timing(run.images_a_step).images_per_second
            device.synchronize()
            begun = time.perf_counter()
            for _ in range(steps):
                train_step(bare.state, bare.batches())
                bare.steps += 1
            device.synchronize()
            seconds = time.perf_counter() - begun
            ratios.append((reported or 0.0, steps * bare.images_a_step / seconds))
        ratios.sort(key=lambda pair: pair[0] / pair[1])
        yield ratios[len(ratios) // 2]  # load from elsewhere falls on both of a round

    return check
