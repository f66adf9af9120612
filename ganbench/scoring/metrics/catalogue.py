"""A table of all scores: meaning, range, source and failures.

`ganbench list metrics` prints it, and reports take titles and directions from it. This module
imports nothing heavy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from ganbench.errors import unknown

__all__ = ["METRICS", "POINTS_BACKBONE", "SCORES", "Metric", "Quantity", "metric"]

POINTS_BACKBONE: Final = "points"
"""Name of what describes points, in place of a backbone: the points themselves, and the mixture
that they are of."""

Direction = Literal["lower", "higher", "one"]
Quantity = Literal["modes", "log_classes", "images", "neighbourhoods", "prompt_images", "generated"]
"""What bounds and steps may depend on: the classes that there are to cover, the logarithm of all
classes, the images of each kind that scores of neighbours look at, 5 neighbourhoods of each, the
images that are drawn from prompts, and all that are generated."""


@dataclass(frozen=True)
class Metric:
    """One score, for people.

    Attributes:
        name: The column in `runs.csv`.
        title: A short heading for tables and charts.
        direction: What is better: `"lower"`, `"higher"`, or nearer to `"one"`.
        range: The values it can take, for people, and the unit where it has one.
        bounds: The least and the most that its true value can be, as numbers; the most may be a
            quantity of the comparison instead.
        paper: Its source.
        summary: What it measures, in one sentence.
        fails_when: What it does not see, or what makes it misleading.
        companions: Further columns that qualify this one and are no scores of their own: a total,
            a standard error.
        resolution: Its smallest step: a number; a quantity of the comparison where it is a share
            of so many (a step is then one of them); 0 where it is continuous.
    """

    name: str
    title: str
    direction: Direction
    range: str
    bounds: tuple[float, float | Quantity]
    paper: str
    summary: str
    fails_when: str
    companions: tuple[str, ...] = ()
    resolution: float | Quantity = 0.0


METRICS: tuple[Metric, ...] = (
    Metric(
        name="fid",
        title="FID",
        direction="lower",
        range="0 to infinity, in squared units of the features",
        bounds=(0.0, math.inf),
        paper="Heusel et al. 2017, arXiv:1706.08500",
        summary="Fréchet distance between Gaussians fitted to real and generated features.",
        fails_when=(
            "few images are generated (it is biased upwards, by about 1/n), other backbones or "
            "counts are compared, or equal means and covariances hide different shapes"
        ),
    ),
    Metric(
        name="modes_covered",
        title="modes covered",
        direction="higher",
        range="0 to modes_total, in classes",
        bounds=(0.0, "modes"),
        paper="Srivastava et al. 2017, arXiv:1705.07761, with shares for counts",
        summary=(
            "Classes of which the share of generated images that the classifier names with a "
            "probability of at least 0.5 is at least a tenth of the class's share of real images; "
            "images outside the distribution of real ones, by the Mahalanobis distance of the "
            "classifier's features (Lee et al. 2018, arXiv:1807.03888), cover nothing. Of points: "
            "modes with at least one of high quality. Of stacked digits: classes that one image or "
            "more is named as, channel by channel (Lin et al. 2018, arXiv:1712.04086)."
        ),
        fails_when=(
            "a class is covered by one image repeated, or by mixtures such as the mean of two "
            "images, which lie between classes and not far from either; of stacked digits, noise "
            "is named as some class too"
        ),
        companions=("modes_total",),
        resolution=1.0,
    ),
    Metric(
        name="high_quality",
        title="high quality",
        direction="higher",
        range="0 to 1; about 0.99 for real points",
        bounds=(0.0, 1.0),
        paper="Srivastava et al. 2017, arXiv:1705.07761; Lin et al. 2018, arXiv:1712.04086",
        summary=(
            "Share of generated points whose Mahalanobis distance to the nearest centre of the "
            "mixture is below 3, or as rare a one in many dimensions."
        ),
        fails_when=(
            "all points lie on one mode, or on one spot of each; empty for images, whose modes "
            "have no known centres"
        ),
        resolution="generated",
    ),
    Metric(
        name="mode_kl",
        title="mode KL",
        direction="lower",
        range="0 to infinity, in nats; log(classes) where one of equally frequent classes is left",
        bounds=(0.0, math.inf),
        paper="Srivastava et al. 2017, arXiv:1705.07761",
        summary=(
            "KL divergence of the generated class histogram from the real one, each generated "
            "image counted under its most likely class; an image outside the distribution of real "
            "ones counts as much as one where a single class is left. Of points: of the modes of "
            "those of high quality, from equal shares. Of stacked digits: from equally frequent "
            "classes, and every image counts."
        ),
        fails_when="the classes are balanced and each of them is one image repeated",
    ),
    Metric(
        name="mode_entropy",
        title="mode entropy",
        direction="higher",
        range="0 to log(classes), in nats",
        bounds=(0.0, "log_classes"),
        paper="Shannon 1948, of the histogram that mode_kl compares",
        summary=(
            "Entropy of the class histogram of the generated images, of which those outside the "
            "distribution of real ones add nothing."
        ),
        fails_when="the real classes are not equally frequent: more than theirs is not better",
    ),
    Metric(
        name="diversity",
        title="diversity in classes",
        direction="higher",
        range="0 to 1",
        bounds=(0.0, 1.0),
        paper="own definition, in ganbench.scoring.metrics.diversity",
        summary=(
            "Spread of the generated features within a class over that of the real ones, at most "
            "1, averaged over all classes; a class that is not covered counts 0, and images "
            "outside the distribution of real ones have no part in it."
        ),
        fails_when="blur or noise spreads the features of a class as far as true variety would",
        resolution="modes",
    ),
    Metric(
        name="precision",
        title="precision",
        direction="higher",
        range="0 to 1",
        bounds=(0.0, 1.0),
        paper="Kynkäänniemi et al. 2019, arXiv:1904.06991",
        summary="Share of generated images that lie among the real ones (3 neighbours).",
        fails_when="real outliers have wide neighbourhoods, or one good image is repeated",
        resolution="images",
    ),
    Metric(
        name="recall",
        title="recall",
        direction="higher",
        range="0 to 1",
        bounds=(0.0, 1.0),
        paper="Kynkäänniemi et al. 2019, arXiv:1904.06991",
        summary="Share of real images that lie among the generated ones (3 neighbours).",
        fails_when="generated images scatter: far outliers reach many real images",
        resolution="images",
    ),
    Metric(
        name="coverage",
        title="coverage",
        direction="higher",
        range="0 to 1; about 0.97 for real images",
        bounds=(0.0, 1.0),
        paper="Naeem et al. 2020, arXiv:2002.09797",
        summary="Share of real images with a generated one among their 5 nearest neighbours.",
        fails_when="unequal counts are compared: more generated images cover more",
        resolution="images",
    ),
    Metric(
        name="prompt_alignment",
        title="prompt alignment",
        direction="higher",
        range="0 to 1; 1/classes by chance",
        bounds=(0.0, 1.0),
        paper="own definition, in ganbench.scoring.metrics.prompt_alignment",
        summary=(
            "Share of images drawn from a class's prompt that the classifier assigns to it, and "
            "that are in the distribution of real ones."
        ),
        fails_when="each prompt draws one image repeated; empty for variants without prompts",
        resolution="prompt_images",
    ),
    Metric(
        name="intra_fid",
        title="intra FID",
        direction="lower",
        range="0 to infinity, in squared units of the features",
        bounds=(0.0, math.inf),
        paper="Miyato and Koyama 2018, arXiv:1802.05637",
        summary="Mean over classes of the FID within each, of images that were drawn by class.",
        fails_when=(
            "few images of a class are generated (it is biased as FID is); empty for variants "
            "without classes or captions, and where a class has no more images than the features "
            "have entries"
        ),
    ),
    Metric(
        name="density",
        title="density",
        direction="one",
        range="0 to infinity",
        bounds=(0.0, math.inf),
        paper="Naeem et al. 2020, arXiv:2002.09797",
        summary="Real neighbourhoods that a generated image lies in, over those expected (5).",
        fails_when="images crowd where real ones are dense: it rises above 1 as variety is lost",
        resolution="neighbourhoods",
    ),
    Metric(
        name="clipped_density",
        title="clipped density",
        direction="higher",
        range="0 to 1, which is what real images reach among themselves",
        bounds=(0.0, 1.0),
        paper="Salvy et al. 2025, arXiv:2507.01761",
        summary=(
            "Share of generated images that lie among real ones (5 neighbours), each counted once "
            "at most and real outliers with no wider a neighbourhood than half of all."
        ),
        fails_when=(
            "one good image is repeated, or images lie inside a shell of real ones, which in many "
            "entries counts as lying among them"
        ),
        resolution="neighbourhoods",
    ),
    Metric(
        name="clipped_coverage",
        title="clipped coverage",
        direction="higher",
        range="0 to 1, which is what new real images reach",
        bounds=(0.0, 1.0),
        paper="Salvy et al. 2025, arXiv:2507.01761",
        summary=(
            "Share of the generated images that would have to be good to cover the real ones as "
            "well (5 neighbours), whatever the others are."
        ),
        fails_when=(
            "other images are bad, as long as enough are good; images inside a shell of real ones "
            "cover them in many entries, and a right dimension of a large unit hides a wrong one"
        ),
        resolution="images",
    ),
    Metric(
        name="kid",
        title="KID",
        direction="lower",
        range="0 to infinity; slightly below 0 by chance",
        bounds=(0.0, math.inf),
        paper="Bińkowski et al. 2018, arXiv:1801.01401",
        summary="Unbiased squared MMD with a cubic kernel, the mean over 100 random subsets.",
        fails_when="it is no larger than a few times its kid_standard_error",
        companions=("kid_standard_error",),
    ),
    Metric(
        name="mind",
        title="MIND",
        direction="lower",
        range="0 to infinity, in squared units of the features",
        bounds=(0.0, math.inf),
        paper="Berthet et al. 2026, arXiv:2605.06797",
        summary=(
            "Mean optimal transport of real to generated features along 1,000 random directions, "
            "scaled to three times the squared shift where a shift is all that differs."
        ),
        fails_when=(
            "other counts or backbones are compared (few images raise it), or a fault lies in few "
            "of many entries of the features, which most directions hardly see"
        ),
    ),
    Metric(
        name="fid_infinity",
        title="FID at infinity",
        direction="lower",
        range="0 to infinity; slightly below 0 by chance",
        bounds=(0.0, math.inf),
        paper="Chong and Forsyth 2020, arXiv:1911.07023",
        summary="FID extrapolated to infinitely many generated images by a line over 1/n.",
        fails_when=(
            "the real images are few (their bias stays in it); empty for fewer generated images "
            "than ten times the length of a feature vector"
        ),
    ),
    Metric(
        name="inception_score",
        title="inception score",
        direction="higher",
        range="1 to 1008, the classes of the network",
        bounds=(1.0, 1008.0),
        paper="Salimans et al. 2016, arXiv:1606.03498",
        summary="How sure inception is of each image, and how various its answers are.",
        fails_when="images are unlike ImageNet's; it never sees the real images",
    ),
    Metric(
        name="modes_covered_strict",
        title="modes covered (strict)",
        direction="higher",
        range="0 to modes_total, in classes",
        bounds=(0.0, "modes"),
        paper="Srivastava et al. 2017, arXiv:1705.07761, with shares for counts",
        summary="As modes_covered, with half of the class's share of real images for a tenth.",
        fails_when="the classifier is unsure of many real images too",
        resolution=1.0,
    ),
    Metric(
        name="vendi",
        title="Vendi score",
        direction="higher",
        range="1 to the number of images: as many unlike ones would be as various",
        bounds=(1.0, "images"),
        paper="Friedman and Dieng 2022, arXiv:2210.02410",
        summary="Effective number of unlike generated images, by the cosine of their features.",
        fails_when="images are noise: it never sees the real ones",
    ),
    Metric(
        name="duplicates",
        title="near-duplicates",
        direction="lower",
        range="0 to 1; about 0.01 for real images",
        bounds=(0.0, 1.0),
        paper="Arora and Zhang 2017, arXiv:1706.08224",
        summary=(
            "Share of generated images nearer to another generated one than all but 1% of as many "
            "real images are to another real one."
        ),
        fails_when="sharp but narrow classes crowd without repeating, or few images are drawn",
        resolution="images",
    ),
    Metric(
        name="memorisation",
        title="memorisation",
        direction="one",
        range="0 to infinity; 0 for copies of the training images",
        bounds=(0.0, math.inf),
        paper="after Meehan et al. 2020, arXiv:2004.05675",
        summary=(
            "Median distance from a generated image to the nearest training image, over that of "
            "held-out real images: below 1 is copied, above 1 is unlike the data."
        ),
        fails_when="noise or blur moves copies away from their originals, or easy classes prevail",
    ),
    Metric(
        name="manifold_precision",
        title="manifold precision",
        direction="higher",
        range="0 to 1; 1 for real images",
        bounds=(0.0, 1.0),
        paper="Lucic et al. 2018, arXiv:1711.10337, with a threshold of our own",
        summary=(
            "Share of generated images, of 1,000, whose nearest triangle differs by a squared "
            "distance of at most 0.75 in grey values from 0 to 1; of the dataset triangles alone."
        ),
        fails_when=(
            "one good triangle is repeated, or all edges are a little blurred, which no triangle is"
        ),
        resolution=1e-3,
    ),
    Metric(
        name="manifold_recall",
        title="manifold recall",
        direction="higher",
        range="0 to 1; about 0.97 for real images",
        bounds=(0.0, 1.0),
        paper="after Lucic et al. 2018, arXiv:1711.10337, by corners and not by inversion",
        summary=(
            "Share of 1,000 held-out triangles that have a precise generated one nearer than their "
            "fifth nearest real one, by their corners; of the dataset triangles alone."
        ),
        fails_when="few generated images are precise: it counts those that are, and no others",
        resolution=1e-3,
    ),
)

SCORES: tuple[str, ...] = tuple(
    column for entry in METRICS for column in (entry.name, *entry.companions)
)
"""Every column of scores in `runs.csv`, in order: the metrics' names and their companions."""


def metric(name: str) -> Metric:
    """Find a metric by its name.

    Raises:
        UsageError: There is none of that name.
    """
    for entry in METRICS:
        if entry.name == name:
            return entry
    names = (entry.name for entry in METRICS)
    raise unknown("metric", name, names, "see `ganbench list metrics`")
