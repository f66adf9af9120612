"""The networks of a run, their optimizers and all else that a training step changes."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, get_args

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ganbench.data.kinds import IMAGES, StoredForm, form_of
from ganbench.errors import ContractError, UsageError
from ganbench.machine.random_streams import stream_seed
from ganbench.training.average import Average, averages
from ganbench.training.calls import Batch, forward, takes_context
from ganbench.training.execution import EAGER, Execution
from ganbench.training.gradient_scaling import Scaling
from ganbench.training.optimizers import Schedules, build_optimizer, parameter_groups
from ganbench.variant.augmentation import Augmentation
from ganbench.variant.definition import Condition, DatasetSpec, Losses, Output, Update
from ganbench.variant.networks.initial import draw_anew

if TYPE_CHECKING:
    from ganbench.machine.ranks import Ranks
    from ganbench.variant.definition import Variant
    from ganbench.variant.recipe import Recipe

__all__ = ["Built", "TrainState", "build", "count_parameters"]

_MAIN: tuple[Update, Update] = ("generator", "discriminator")
_RESERVED = ("generator", "discriminator", "augment", "losses")


@dataclass
class TrainState:
    """The networks, their optimizers and all else that a step changes.

    Attributes:
        recipe: The numbers of the run.
        networks: By name: the generator, the discriminator, the variant's further networks,
            `"augment"` and `"losses"` where there are such modules.
        updates: Which update trains each network.
        optimizers: Of the two updates.
        losses: The objectives.
        condition: The condition of the variant, or None.
        is_logit: Whether the discriminator's outputs are logits.
        autocast: Format of the networks' arithmetic; None is float32.
        scaling: Gradient scales, with float16 alone.
        average: The moving average of what the generator's update trains, or None.
        schedules: The numbers that change over the budget.
        latent_sampler: The variant's own distribution of latents, or None.
        own_step: The variant's own training step, or None.
        clamp: Whether images are clamped to [-1, 1] only when they are drawn.
        losses_take_context: Whether each loss has a parameter `context`.
        form: How what the generator draws is stored: as images or as points.
        looked_at_share: Whether the variant's own code has asked for the share of the budget, so
            that a run of another budget would have trained otherwise.
        ranks: This process among those that share the run, or None.
    """

    recipe: Recipe
    networks: dict[str, nn.Module]
    updates: dict[str, Update]
    optimizers: dict[str, torch.optim.Optimizer]
    losses: Losses
    condition: Condition | None
    is_logit: bool
    autocast: torch.dtype | None
    scaling: Scaling | None
    average: Average | None
    schedules: Schedules
    latent_sampler: Callable[[int, torch.Generator], Tensor] | None = None
    own_step: Callable[[Any, Any], None] | None = None
    clamp: bool = False
    losses_take_context: dict[str, bool] = field(default_factory=dict)
    form: StoredForm = IMAGES
    looked_at_share: bool = False
    ranks: Ranks | None = None

    @property
    def share_of_batch(self) -> int:
        """Rows of a batch of real images that this process has."""
        return self.recipe.batch_size // (1 if self.ranks is None else self.ranks.count)

    def note_share(self) -> None:
        """Note that the variant's own code asks for the share of the budget."""
        self.looked_at_share = True

    @classmethod
    def create(
        cls,
        variant: Variant,
        recipe: Recipe,
        spec: DatasetSpec,
        device: torch.device,
        seed: int,
        execution: Execution = EAGER,
    ) -> Self:
        """Build all networks with the weights that `seed` gives, the same on every device.

        Raises:
            UsageError: The recipe's numbers do not go together.
            ContractError: What the variant says is contradictory.
        """
        built = build(variant, recipe, spec, seed)
        networks, updates = built.networks, built.updates
        losses, condition = built.losses, built.condition
        for name, network in networks.items():
            networks[name] = _placed(network, device)
        state = cls(
            recipe=recipe,
            networks=networks,
            updates=updates,
            optimizers={},
            losses=losses,
            condition=condition,
            is_logit=built.output == "logit",
            autocast=None if execution.precision == "fp32" else execution.dtype,
            scaling=None,
            average=None,
            schedules=Schedules(),
            latent_sampler=variant.latent(recipe, spec) if variant.latent else None,
            own_step=variant.step,
            clamp=variant.clamp,
            losses_take_context={
                "d_loss": takes_context(losses.d_loss),
                "g_loss": takes_context(losses.g_loss),
            },
            form=form_of(spec),
        )
        state._materialise(spec, device, seed)
        state._optimise(variant, device, execution)
        return state

    def _materialise(self, spec: DatasetSpec, device: torch.device, seed: int) -> None:
        """Give lazy modules their shapes by one forward pass of both losses on empty images."""
        if not any(_is_lazy(network) for network in self.networks.values()):
            return
        shape, count = spec.shape(self.recipe.image_size), self.recipe.batch_size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "lazy weights"))
            latent = self.latents(count, torch.Generator().manual_seed(0)).to(device)
            batch = Batch(torch.zeros(count, *shape, device=device), latent)
            if self.condition is not None:
                labels = torch.zeros(count, dtype=torch.int64, device=device)
                table = self.conditions(spec)
                batch = dataclasses.replace(
                    batch,
                    labels=labels,
                    condition=None if table is None else table.to(device)[labels],
                )
            forward(self, batch)
        for name, network in self.networks.items():
            self.networks[name] = _placed(network, device)

    def _optimise(self, variant: Variant, device: torch.device, execution: Execution) -> None:
        """Make the optimizers, the gradient scales and the moving average."""
        for update in _MAIN:
            trained = {name: self.networks[name] for name in self.trained_by(update)}
            groups = parameter_groups(self.recipe, update, trained, variant.learning_rates)
            rates = [group["rate"] for group in groups]
            if variant.optimizer is not None:
                for group in groups:
                    del group["rate"]
                optimizer = variant.optimizer(self.recipe, groups, update)
            else:
                optimizer = build_optimizer(
                    self.recipe,
                    groups,
                    fused=device.type != "meta",
                    capturable=execution.cuda_graphs,
                )
            self.optimizers[update] = optimizer
            self.schedules.follow(optimizer, self.recipe, rates)
        if execution.precision == "fp16":
            for optimizer in self.optimizers.values():
                if not getattr(optimizer, "_step_supports_amp_scaling", False):
                    raise UsageError(
                        f"--precision fp16 needs optimizers that skip a step on the device, and "
                        f"{type(optimizer).__name__} does not: give fused=True, or bf16 or fp32"
                    )
            self.scaling = Scaling(
                device.type, self.optimizers["discriminator"], self.optimizers["generator"]
            )
        if averages(self.recipe):
            averaged = {name: self.networks[name] for name in self.trained_by("generator")}
            self.average = Average(self.recipe, averaged, device)

    def trained_by(self, update: Update) -> list[str]:
        """Names of the networks that an update trains, the main one first."""
        return sorted(
            (name for name, by in self.updates.items() if by == update),
            key=lambda name: name != update,
        )

    @property
    def generator(self) -> nn.Module:
        """The network that draws images."""
        return self.networks["generator"]

    @property
    def discriminator(self) -> nn.Module:
        """The network that tells real images from generated ones."""
        return self.networks["discriminator"]

    @property
    def generator_optimizer(self) -> torch.optim.Optimizer:
        """The optimizer of what the generator's update trains."""
        return self.optimizers["generator"]

    @property
    def discriminator_optimizer(self) -> torch.optim.Optimizer:
        """The optimizer of what the discriminator's update trains."""
        return self.optimizers["discriminator"]

    @property
    def takes_condition(self) -> bool:
        """Whether the generator takes a condition as its second argument."""
        return self.gives_condition("generator")

    def gives_condition(self, network: str) -> bool:
        """Whether a network is given the condition as its last argument."""
        condition = self.condition
        return condition is not None and condition.use != "latent" and network in condition.networks

    @property
    def sampler(self) -> nn.Module:
        """The generator that samples are drawn from: its moving average where there is one."""
        return self.generator if self.average is None else self.average.networks["generator"]

    def latents(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw latents of shape (count, latent_dim) on the device of the generator."""
        if self.latent_sampler is not None:
            return self.latent_sampler(count, generator)
        shape, device = (count, self.recipe.latent_dim), generator.device
        if self.recipe.latent == "uniform":
            return torch.rand(shape, generator=generator, device=device).mul_(2).sub_(1)
        return torch.randn(shape, generator=generator, device=device)

    def conditions(self, spec: DatasetSpec) -> Tensor | None:
        """What the networks are given for each class, in label order; on the CPU.

        Returns:
            float32 of shape (classes, size) for a condition by text, int64 of shape (classes,)
            for one by label; None where the networks take none.
        """
        if self.condition is None or self.condition.use == "latent":
            return None
        if self.condition.use == "label":
            return torch.arange(len(spec.class_names))
        return torch.stack([self.condition.encode_text(caption) for caption in spec.captions])

    def parameters_of(self, update: Update) -> Iterator[nn.Parameter]:
        """All parameters that an update trains."""
        names = self.trained_by(update)
        return itertools.chain.from_iterable(self.networks[name].parameters() for name in names)

    def train(self) -> None:
        """Put all networks into training mode."""
        for network in self.networks.values():
            network.train()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a step changes, as `torch.load(weights_only=True)` accepts it."""
        return {
            **{name: network.state_dict() for name, network in self.networks.items()},
            **{
                f"{name}_optimizer": values.state_dict() for name, values in self.optimizers.items()
            },
            "average": None if self.average is None else self.average.state_dict(),
            "scaling": None if self.scaling is None else self.scaling.state_dict(),
        }

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go back to a stored state."""
        for name, network in self.networks.items():
            network.load_state_dict(values[name])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(values[f"{name}_optimizer"])
        if self.average is not None:
            self.average.load_state_dict(values["average"])
        if self.scaling is not None:
            self.scaling.load_state_dict(values["scaling"])

    def tensors(self) -> list[Tensor]:
        """All tensors that a step changes, where they lie in memory."""
        modules = [*self.networks.values()]
        if self.average is not None:
            modules += self.average.networks.values()
        held = [itertools.chain(network.parameters(), network.buffers()) for network in modules]
        moments = [
            values
            for optimizer in self.optimizers.values()
            for slots in optimizer.state.values()
            for values in slots.values()
            if isinstance(values, Tensor)
        ]
        return [*itertools.chain.from_iterable(held), *moments]


@dataclass(frozen=True)
class Built:
    """What a variant's builders return.

    Attributes:
        networks: All networks by name.
        updates: Which update trains each.
        losses: The objectives.
        condition: The condition, or None.
        output: What the discriminator gives.
    """

    networks: dict[str, nn.Module]
    updates: dict[str, Update]
    losses: Losses
    condition: Condition | None
    output: Output


def build(variant: Variant, recipe: Recipe, spec: DatasetSpec, seed: int = 0) -> Built:
    """Call all builders of a variant, on the device that is torch's default.

    Raises:
        UsageError: The recipe's numbers do not go together, or a builder refuses them.
        ContractError: What the variant says is contradictory.
    """
    condition = variant.condition(recipe, spec) if variant.condition else None
    _check_numbers(recipe, condition)
    losses = variant.losses(recipe, spec)
    output = losses.output or variant.output
    if output not in get_args(Output):
        raise ContractError(f"output {output!r} is unknown: give 'logit' or 'score'")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "weights"))
        networks, updates = _build(variant, recipe, spec)
        if recipe.initial_weights != "own":  # equal ones for equal networks, whatever was drawn
            torch.manual_seed(stream_seed(seed, "initial weights"))
            for name, network in networks.items():
                if updates[name] != "none":
                    draw_anew(network, recipe.initial_weights)
    if losses.state is not None:
        networks["losses"], updates["losses"] = losses.state, "none"
    return Built(networks, updates, losses, condition, output)


def count_parameters(network: nn.Module) -> int:
    """Numbers that a network learns."""
    return sum(weight.numel() for weight in network.parameters())


def _check_numbers(recipe: Recipe, condition: Condition | None) -> None:
    """Refuse numbers of the recipe that do not go together."""
    if recipe.batch_size % recipe.packing:
        raise UsageError(
            f"batch_size={recipe.batch_size} is no multiple of packing={recipe.packing}: "
            "give one that is"
        )
    packed = recipe.packing > 1 and condition is not None and condition.use != "latent"
    if packed and condition is not None and "discriminator" in condition.networks:
        raise UsageError(
            f"packing={recipe.packing} joins images of different classes, and this variant's "
            "discriminator takes a condition: leave packing at 1"
        )


def _build(
    variant: Variant, recipe: Recipe, spec: DatasetSpec
) -> tuple[dict[str, nn.Module], dict[str, Update]]:
    """Build the generator, the discriminator, and then all further networks."""
    packed = dataclasses.replace(spec, channels=spec.channels * recipe.packing)
    networks = {
        "generator": variant.generator(recipe, spec),
        "discriminator": variant.discriminator(recipe, packed),
    }
    updates: dict[str, Update] = {"generator": "generator", "discriminator": "discriminator"}
    for name, network in variant.networks.items():
        if name in _RESERVED or not name.isidentifier():
            raise ContractError(
                f"a further network cannot have the name {name!r}: give an identifier other than "
                f"{', '.join(_RESERVED)}"
            )
        networks[name], updates[name] = network.build(recipe, spec), network.update
    if variant.augment is not None:
        networks["augment"], updates["augment"] = variant.augment(recipe, spec), "none"
    elif recipe.augments:
        if spec.kind == "points":
            raise UsageError(
                f"augment={recipe.augment} is of images, and {spec.name} holds points: leave it out"
            )
        networks["augment"], updates["augment"] = Augmentation(recipe.augment), "none"
    for name, built in networks.items():
        if not isinstance(built, nn.Module):
            raise ContractError(f"{name} is no torch.nn.Module but {type(built).__name__}")
        if updates[name] == "none":
            built.requires_grad_(requires_grad=False)
    return networks, updates


def _is_lazy(network: nn.Module) -> bool:
    held = itertools.chain(network.parameters(), network.buffers())
    return any(map(is_lazy, held))


def _placed(network: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, with its four-dimensional weights in channels-last memory."""
    network.to(device)
    with torch.no_grad():
        for values in itertools.chain(network.parameters(), network.buffers()):
            if not is_lazy(values) and values.dim() == 4:  # noqa: PLR2004 - NCHW
                values.data = values.data.to(memory_format=torch.channels_last)
    return network
