"""A plain training loop, as one would write it by hand, for ganbench to be measured against.

It holds what hand-written scripts have in common: a DataLoader that decodes and transforms one
picture after another in the training process, BCELoss on probabilities, one backward pass for the
real and one for the generated images, Adam as it comes, two losses read in every step, and a
discriminator that computes its own gradients during the generator's step and throws them away. The
networks are those of the variant, so that a ratio of the two speeds is one of the loops alone.

Where the scripts differ, the faster way is taken: the latents are drawn and the images generated
once a step, and pictures that already have the right size are not resized.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from ganbench.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ganbench.data.dataset import Split
    from ganbench.variant.definition import DatasetSpec, Recipe, Variant

__all__ = ["Pictures", "PlainLoop"]


class Pictures(Dataset[tuple[Tensor, int]]):
    """PIL images made from an array one by one and transformed, as torchvision's datasets do.

    Args:
        split: uint8 images and their labels.
        transform: Turns a PIL image into a float tensor.
    """

    def __init__(self, split: Split, transform: Callable[[Image.Image], Tensor]) -> None:
        pixels = split.images.permute(0, 2, 3, 1).numpy()
        self._pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        self._labels = split.labels.tolist()
        self._transform = transform

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self._pixels[index])
        return self._transform(picture), self._labels[index]


class PlainLoop:
    """An endless training run of an unconditional variant, one step at a time.

    Args:
        variant: Builds the two networks; its discriminator gives logits.
        recipe: The variant's numbers.
        spec: The dataset.
        split: The dataset's images at their own size.
        device: The device of the networks.

    Attributes:
        images_seen: Real images consumed so far.
        losses: The two losses of the last step: the discriminator's, the generator's.

    Raises:
        UsageError: The variant needs more than this loop can do.
    """

    def __init__(
        self,
        variant: Variant,
        recipe: Recipe,
        spec: DatasetSpec,
        split: Split,
        device: torch.device,
    ) -> None:
        conditional = variant.condition is not None and variant.condition(recipe, spec).use
        if conditional == "input" or variant.output != "logit" or recipe.d_steps > 1:
            raise UsageError(
                f"the plain loop cannot train {variant.title!r}: it supports no condition, no "
                "critic and a single discriminator step; take mlp or dcgan"
            )
        torch.manual_seed(0)
        self._recipe = recipe
        self._device = device
        self.generator = variant.generator(recipe, spec).to(device)
        self.discriminator = nn.Sequential(
            variant.discriminator(recipe, spec), nn.Flatten(0), nn.Sigmoid()
        ).to(device)
        betas = (recipe.beta1, recipe.beta2)
        self._d_adam = torch.optim.Adam(self.discriminator.parameters(), recipe.lr_d, betas)
        self._g_adam = torch.optim.Adam(self.generator.parameters(), recipe.lr_g, betas)
        self._criterion = nn.BCELoss()

        size, half = recipe.image_size, (0.5,) * spec.channels
        steps = [transforms.ToTensor(), transforms.Normalize(half, half)]
        if size != spec.native_size:
            steps.insert(0, transforms.Resize((size, size)))
        pictures = Pictures(split, transforms.Compose(steps))
        self._loader = DataLoader(pictures, recipe.batch_size, shuffle=True, num_workers=0)
        self._batches = self._endless()
        self.images_seen = 0
        self.losses = (0.0, 0.0)

    def _endless(self) -> Iterator[Tensor]:
        while True:
            for images, _labels in self._loader:
                yield images

    def advance(self) -> None:
        """Do one step."""
        recipe = self._recipe
        real = next(self._batches).to(self._device)
        count = len(real)
        real_target = torch.full((count,), recipe.real_label, device=self._device)
        fake_target = torch.full((count,), recipe.fake_label, device=self._device)
        wanted = torch.full((count,), recipe.generator_label, device=self._device)

        # The discriminator
        self._d_adam.zero_grad()
        on_real = self._criterion(self.discriminator(real), real_target)
        on_real.backward()
        fake = self.generator(torch.randn(count, recipe.latent_dim, device=self._device))
        on_fake = self._criterion(self.discriminator(fake.detach()), fake_target)
        on_fake.backward()
        self._d_adam.step()

        # The generator
        self._g_adam.zero_grad()
        g_loss = self._criterion(self.discriminator(fake), wanted)
        g_loss.backward()
        self._g_adam.step()

        self.losses = ((on_real + on_fake).item(), g_loss.item())
        self.images_seen += count
