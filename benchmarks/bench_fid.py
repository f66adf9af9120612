"""The arithmetic of FID: statistics of features, then the distance; torch-fidelity's beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

from ganbench.scoring.backbones.classifier_network import ClassifierNetwork
from ganbench.scoring.metrics.fid import Statistics, fid

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

_COUNT = 10_000  # images on which a run is scored
_TINY_COUNT, _TINY_ENTRIES = 40, 8
_ENTRIES = {
    "inception": 2048,
    "classifier": ClassifierNetwork(3, 32, 10).head.in_features,  # on colour images
}


def backbones(what: str) -> list[object]:
    """Parameters with one group per backbone, named by its width."""
    return [
        pytest.param(
            entries, id=name, marks=pytest.mark.benchmark(group=f"{what}, {entries} entries")
        )
        for name, entries in _ENTRIES.items()
    ]


def features(entries: int, seed: int, *, tiny: bool) -> torch.Tensor:
    """Float32 features that depend on each other a little, of shape (images, entries)."""
    count, entries = (_TINY_COUNT, _TINY_ENTRIES) if tiny else (_COUNT, entries)
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(count, entries, generator=generator)
    return vectors + 0.5 * vectors.roll(1, dims=1)


@pytest.mark.parametrize("entries", backbones("statistics"))
def test_statistics(entries: int, benchmark: BenchmarkFixture, *, tiny: bool) -> None:
    """Mean and covariance of 10,000 images, in float64."""
    fake = features(entries, 1, tiny=tiny)
    statistics = benchmark(Statistics.of, fake)
    assert statistics.count == len(fake)


@pytest.mark.parametrize("entries", backbones("distance"))
def test_distance(entries: int, benchmark: BenchmarkFixture, *, tiny: bool) -> None:
    """The distance of one more generator, with the real images' statistics known already."""
    real, fake = (Statistics.of(features(entries, seed, tiny=tiny)) for seed in (0, 1))
    assert real.root.isfinite().all()  # computed here, and kept
    assert benchmark(fid, real, fake) > 0


@pytest.mark.parametrize("entries", backbones("distance"))
def test_distance_by_torch_fidelity(
    entries: int, benchmark: BenchmarkFixture, *, tiny: bool
) -> None:
    """The same number by torch-fidelity: eigenvalues of a matrix that is not symmetric."""
    given = [features(entries, seed, tiny=tiny) for seed in (0, 1)]
    real, fake = map(fid_features_to_statistics, given)
    outcome = benchmark.pedantic(  # type: ignore[no-untyped-call]  # has no annotations
        fid_statistics_to_metric, args=(real, fake, False), rounds=3
    )
    expected = fid(*map(Statistics.of, given))
    assert outcome["frechet_inception_distance"] == pytest.approx(expected, rel=1e-3)
