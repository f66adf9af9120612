"""The built-in variants learn what they learnt under the first interface, to the last bit.

`plain_weights` is that interface's step written out for two networks and nothing else. Expected
values are computed here and not stored, since the last bits differ from processor to processor.
"""

from __future__ import annotations

import pytest
import torch
from doubles import tiny_spec, tiny_split

from ganbench.machine.device import choose
from ganbench.machine.random_streams import generator, stream_seed
from ganbench.training.batches import DataOrder
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.registry import resolve

SPEC = tiny_spec(channels=3, count=40)
CPU = torch.device("cpu")
STEPS = 20
VARIANTS = ["mlp", "dcgan", "dcgan-smooth", "texthash", "texthash-naive"]


def small(name):
    (found,) = resolve([name])
    numbers = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    return found.variant, found.variant.recipe.override(numbers)


def plain_weights(name: str, seed: int) -> dict[str, torch.Tensor]:
    variant, recipe = small(name)
    torch.manual_seed(stream_seed(seed, "weights"))
    networks = [variant.generator(recipe, SPEC), variant.discriminator(recipe, SPEC)]
    draw, discriminate = (network.to(memory_format=torch.channels_last) for network in networks)
    betas = (recipe.beta1, recipe.beta2)
    g_adam = torch.optim.Adam(draw.parameters(), recipe.lr_g, betas, fused=True)
    d_adam = torch.optim.Adam(discriminate.parameters(), recipe.lr_d, betas, fused=True)
    losses = variant.losses(recipe, SPEC)
    condition = variant.condition(recipe, SPEC) if variant.condition else None
    captions = None
    if condition is not None and condition.use == "input":
        captions = torch.stack([condition.encode(text) for text in SPEC.captions])
    split, order = tiny_split(SPEC), DataOrder(SPEC.train_count, seed, CPU)
    stored = split.images.permute(0, 2, 3, 1)
    noise = generator(seed, "training latents")
    torch.manual_seed(stream_seed(seed, "training"))
    draw.train()
    discriminate.train()
    for step in range(STEPS):
        chosen = order.indices(8 * step, 8)
        real = stored.index_select(0, chosen).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
        given = () if captions is None else (captions[split.labels[chosen]],)
        fake = draw(torch.randn(8, recipe.latent_dim, generator=noise), *given)
        d_pair, g_pair = (losses.d_loss, d_adam), (losses.g_loss, g_adam)
        for (loss, adam), images in ((d_pair, fake.detach()), (g_pair, fake)):
            discriminate.requires_grad_(adam is d_adam)
            adam.zero_grad(set_to_none=True)
            loss(
                lambda shown, extra=given: discriminate(shown, *extra), real, images
            ).loss.backward()
            adam.step()
    return {
        **draw.state_dict(prefix="generator."),
        **discriminate.state_dict(prefix="discriminator."),
    }


@pytest.mark.parametrize("name", VARIANTS)
def test_twenty_steps_end_with_the_weights_of_the_first_interface(name):
    variant, recipe = small(name)
    state = TrainState.create(variant, recipe, SPEC, CPU, 3)
    one = Session(state, tiny_split(SPEC), SPEC, choose("cpu"), 3)
    state.train()
    for _ in range(STEPS):
        one.advance()
    expected = plain_weights(name, 3)
    learnt = {
        **state.generator.state_dict(prefix="generator."),
        **state.discriminator.state_dict(prefix="discriminator."),
    }
    assert learnt.keys() == expected.keys()
    assert [key for key, values in expected.items() if not torch.equal(learnt[key], values)] == []
