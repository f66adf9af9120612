"""Agreement with torch-fidelity's own top-level function on the same images."""

import pytest
import torch
import torch_fidelity
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import register_feature_extractor

from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.kid import kid, subset_size
from ganbench.scoring.metrics.neighbours import precision_recall


class PixelProjection(FeatureExtractorBase):
    """A feature extractor for torch-fidelity without a download: 24 fixed mixtures of pixels."""

    def __init__(self, name, features_list, **kwargs):
        super().__init__(name, features_list)
        generator = torch.Generator().manual_seed(7)
        self.register_buffer("mixture", torch.randn(3 * 8 * 8, 24, generator=generator) / 255)

    @staticmethod
    def get_provided_features_list():
        return ("mixed",)

    @staticmethod
    def get_default_feature_layer_for_metric(metric):
        return "mixed"

    def forward(self, images):
        return ((images.flatten(1).float() @ self.mixture),)


class Images(torch.utils.data.Dataset):
    """Random uint8 images, darker ones for another seed."""

    def __init__(self, count: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.images = torch.randint(
            256 - 40 * seed, (count, 3, 8, 8), dtype=torch.uint8, generator=generator
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


@pytest.fixture(scope="module")
def top_level_scores():
    register_feature_extractor("pixel-projection", PixelProjection)
    real, fake = Images(400, 0), Images(400, 1)
    values = torch_fidelity.calculate_metrics(
        input1=fake, input2=real, feature_extractor="pixel-projection",
        fid=True, kid=True, prc=True, kid_subset_size=subset_size(400, 400), rng_seed=3,
        batch_size=50, cuda=False, cache=False, save_cpu_ram=True, verbose=False,
    )  # fmt: skip
    extract = PixelProjection("pixel-projection", ["mixed"])
    return values, extract(real.images)[0], extract(fake.images)[0]


def test_fid_of_images_agrees_with_torch_fidelity_from_the_top(top_level_scores):
    values, real, fake = top_level_scores
    distance = fid(Statistics.of(real), Statistics.of(fake))
    assert distance == pytest.approx(values["frechet_inception_distance"], rel=1e-6)


def test_kid_of_images_agrees_with_torch_fidelity_from_the_top(top_level_scores):
    values, real, fake = top_level_scores
    mean, _ = kid(real, fake, seed=3)
    assert mean == pytest.approx(values["kernel_inception_distance_mean"], rel=1e-6)


def test_precision_and_recall_of_images_agree_with_torch_fidelity_from_the_top(top_level_scores):
    values, real, fake = top_level_scores
    precision, recall = precision_recall(real.double(), fake.double())
    assert precision == pytest.approx(values["precision"], abs=1e-6)
    assert recall == pytest.approx(values["recall"], abs=1e-6)
    assert precision != recall
