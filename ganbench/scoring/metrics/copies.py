"""Near-duplicates among generated images, and copies of training images.

Distances are computed in blocks: besides the features and a float64 copy of the compared ones (33
MB for 2,000 of 2,048 entries), less than 100 MB are needed at a time, however many training images
there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.scoring.metrics.checks import check_pair, choose
from ganbench.scoring.metrics.neighbours import TOLERANCE, nearest_distance, nearest_others

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["COPIES_LIMIT", "duplicates", "held_out_distance", "memorisation"]

COPIES_LIMIT = 2000
_RARE = 0.01


def duplicates(
    real: Tensor,
    fake: Tensor,
    *,
    real_nearest: Tensor | None = None,
    fake_nearest: Tensor | None = None,
) -> float | None:
    """Share of generated images that nearly repeat another one, 0 to 1; lower is better.

    Arora and Zhang 2017 (arXiv:1706.08224) look for duplicates in a batch by eye, since by the
    birthday paradox their number shows how many different images there are. Here a near-duplicate
    is an image whose nearest other one is no farther than it is for the closest 1% of as many
    real images, with the tolerance of all neighbours. About 0.01 for real images, 1 for one image
    repeated.

    Args:
        real: (n, entries) of any floating type, as many as generated ones.
        fake: (n, entries) of any floating type.
        real_nearest: `nearest_others` of `real`, where it is known.
        fake_nearest: The same of `fake`.

    Returns:
        None for fewer than two images of a kind.

    Raises:
        ValueError: The features cannot be used, or their counts differ.
    """
    check_pair(real, fake)
    if len(real) != len(fake):
        raise ValueError(
            f"near-duplicates were asked for {len(real)} real and {len(fake)} generated images: "
            "expected equal counts, since images lie closer the more there are"
        )
    if len(real) < 2:  # noqa: PLR2004 - a pair
        return None
    if real_nearest is None:
        real_nearest = nearest_others(real, 1)
    if fake_nearest is None:
        fake_nearest = nearest_others(fake, 1)
    close = float(real_nearest[:, 0].quantile(_RARE)) ** 2 + _tolerance(fake)
    return float((fake_nearest[:, 0].square() <= close).double().mean())


def memorisation(
    real: Tensor,
    fake: Tensor,
    held_out: Tensor,
    *,
    seed: int = 0,
    limit: int = COPIES_LIMIT,
    expected: float | None = None,
) -> float | None:
    """How near the training images generated ones lie, relative to real held-out images.

    The median distance of a generated image to the nearest training image, over the same of
    held-out images: 0 for copies, 1 for images as new as real ones, above 1 for images unlike the
    data. The comparison of generated with held-out distances is that of Meehan et al. 2020
    (arXiv:2004.05675); their rank test says whether there is a difference, this how large it is.
    Being medians, it does not see a minority of copies.

    Args:
        real: All features that the generator was trained on, (n, entries).
        fake: Features (m, entries).
        held_out: Features of real images that it was not trained on, (l, entries).
        seed: Chooses at most `limit` generated and as many held-out images.
        limit: Images of each kind; every training image is compared with.
        expected: `held_out_distance` of these images, where it is known.

    Returns:
        None where most held-out images are among the training images.

    Raises:
        ValueError: The features cannot be used.
    """
    check_pair(real, fake)
    check_pair(real, held_out)
    if expected is None:
        expected = held_out_distance(real, held_out, seed=seed, limit=limit)
    if expected**2 <= _tolerance(choose(held_out, limit, seed)):
        return None
    observed = float(nearest_distance(choose(fake, limit, seed), real).quantile(0.5))
    return observed / expected


def held_out_distance(
    real: Tensor, held_out: Tensor, *, seed: int = 0, limit: int = COPIES_LIMIT
) -> float:
    """The median distance of held-out images to the nearest training image, for `memorisation`."""
    return float(nearest_distance(choose(held_out, limit, seed), real).quantile(0.5))


def _tolerance(points: Tensor) -> float:
    """Squared distance within which points count as equal, for the longest of them."""
    return 2 * TOLERANCE * float(points.double().square().sum(dim=1).max())
