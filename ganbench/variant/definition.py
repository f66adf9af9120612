"""What a variant is: a recipe of numbers, and functions that build networks and losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from ganbench.errors import UsageError
from ganbench.variant.recipe import Recipe
from ganbench.variant.text import tokenize

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Discriminator = Callable[..., Any]
    LossFunction = Callable[..., "Tensor | LossOutput"]
    Builder = Callable[[Any, "DatasetSpec"], nn.Module]

__all__ = [
    "INTERFACE",
    "Accepts",
    "Condition",
    "DatasetSpec",
    "Kind",
    "LossOutput",
    "Losses",
    "Network",
    "Output",
    "Update",
    "Variant",
]

INTERFACE = 4
"""Version of the interface between ganbench and variants: raised whenever it can say more. A
variant that was written for an earlier version still loads."""

Update = Literal["generator", "discriminator", "none"]
"""Which update trains a network."""

Output = Literal["logit", "score"]
"""What a discriminator gives: logits, or a critic's scores."""

Kind = Literal["image", "points"]
"""What a dataset holds: images, or points of some dimensions."""


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a dataset before its images are read.

    Attributes:
        name: As on the command line, for example `"mnist"` or `"imagefolder:faces"`.
        channels: 1 (grey) or 3 (RGB); of points, their dimensions.
        native_size: Height and width of the stored images, in pixels; 1 for points.
        class_names: One name per class, in label order.
        train_count: Images in the training split.
        test_count: Images in the test split.
        caption: Template of a caption, with `{}` where the class name belongs.
        kind: Images in [-1, 1], or points, which networks see as they are.
    """

    name: str
    channels: int
    native_size: int
    class_names: tuple[str, ...]
    train_count: int
    test_count: int
    caption: str = "a photo of a {}"
    kind: Kind = "image"

    def shape(self, image_size: int) -> tuple[int, ...]:
        """Shape of one image at a size, (channels, size, size), or of one point, (dimensions,)."""
        return (
            (self.channels,) if self.kind == "points" else (self.channels, image_size, image_size)
        )

    @property
    def dimensions(self) -> int:
        """Numbers that one image of the stored size, or one point, consists of."""
        return self.channels * (1 if self.kind == "points" else self.native_size**2)

    @property
    def unit(self) -> str:
        """What it holds, as counts and rates name it: `images` or `points`."""
        return "points" if self.kind == "points" else "images"

    @property
    def fields(self) -> dict[str, Any]:
        """All fields as plain values, for hashes and files.

        The kind of images is left out, so that runs that were stored before there were points
        keep their names.
        """
        values = asdict(self)
        if self.kind == "image":
            del values["kind"]
        return values

    @property
    def captions(self) -> tuple[str, ...]:
        """One caption per class, in label order."""
        return tuple(self.caption.format(name.replace("_", " ")) for name in self.class_names)

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words that occur in the captions."""
        return frozenset(word for caption in self.captions for word in tokenize(caption))


@dataclass(frozen=True)
class LossOutput:
    """What a loss returns when it has more to say than a scalar.

    Attributes:
        loss: Scalar tensor, to be minimised.
        real: The discriminator's outputs on the real images, of any shape; reported as D(x). Only
            `d_loss` gives them.
        fake: Its outputs on the generated images, of any shape; reported as D(G(z)).
        scalars: Further scalar tensors by name, for history.csv and the charts, such as the value
            of a penalty. A name keeps its last value in steps that do not return it.

    A loss can be built on another one: `losses.hinge(recipe, dataset).d_loss(discriminator, real,
    fake) + 10 * penalty` is a `LossOutput` again.
    """

    loss: Tensor
    real: Tensor | None = None
    fake: Tensor | None = None
    scalars: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, returned: Tensor | LossOutput) -> LossOutput:
        """What a loss has returned, as a record."""
        return returned if isinstance(returned, cls) else cls(cast("Tensor", returned))

    @property
    def outputs(self) -> tuple[Tensor, Tensor]:
        """The discriminator's outputs on real and on generated images.

        Raises:
            ValueError: The loss did not return them.
        """
        if self.real is None or self.fake is None:
            raise ValueError("the loss returns no outputs on real and on generated images")
        return self.real, self.fake

    def __add__(self, term: Any) -> LossOutput:
        """The same with a term, such as a weighted penalty, added to the loss."""
        return replace(self, loss=self.loss + term)

    __radd__ = __add__

    def __sub__(self, term: Any) -> LossOutput:
        """The same with a term subtracted from the loss."""
        return replace(self, loss=self.loss - term)

    def __neg__(self) -> LossOutput:
        """The same with its loss negated."""
        return replace(self, loss=-self.loss)

    def __mul__(self, factor: Any) -> LossOutput:
        """The same with its loss multiplied."""
        return replace(self, loss=self.loss * factor)

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> LossOutput:
        """The same with its loss divided."""
        return replace(self, loss=self.loss / divisor)

    def recording(self, **scalars: Tensor) -> LossOutput:
        """The same with further scalars for the history."""
        return replace(self, scalars={**self.scalars, **scalars})


@dataclass(frozen=True)
class Losses:
    """The two objectives, both to be minimised.

    `d_loss(discriminator, real, fake)` and `g_loss(discriminator, real, fake)` return a scalar
    tensor or a `LossOutput`. A function that has a fourth parameter named `context` is given a
    `ganbench.Context`: the step, the share of the budget, latents, labels, the networks by name.

    `real` and `fake` are images of shape (batch, channels, size, size); in `d_loss`, `fake` is
    detached from the generator. `discriminator(images, *further)` calls the discriminator network
    in training: images are augmented and packed as the recipe says, further inputs (latents, for
    one that takes pairs) are packed likewise, along their second dimension, and a condition is
    added last. `discriminator(images, weights={...})` calls it with these parameters, by name, in
    place of its own, and leaves its buffers as they are: for unrolled steps.

    Attributes:
        d_loss: The discriminator's objective.
        g_loss: The generator's objective.
        state: What the losses keep from step to step, as the buffers of a module: saved, resumed
            and moved to the device like a network. They may change it in place.
        output: What the objectives take the discriminator's outputs for, `"logit"` or `"score"`;
            None is what the variant's `output` says. A copy of a `Losses` with another objective
            (`dataclasses.replace`) keeps it.
    """

    d_loss: LossFunction
    g_loss: LossFunction
    state: nn.Module | None = None
    output: Output | None = None


@dataclass(frozen=True)
class Condition:
    """What steers a variant: a text, or the class of an image.

    Attributes:
        encode: Turns a text into a float32 vector of shape (size,); None with `use="label"`.
        size: Entries of that vector, or number of classes.
        use: `"input"`: the networks take the encoded caption of each image's class as their last
            argument, of shape (batch, size), in training and in sampling. `"latent"`: the networks
            are trained without text, and the vector replaces the latent when a prompt is drawn.
            `"label"`: the networks take the class of each image as their last argument, int64 of
            shape (batch,).
        networks: Which of the two take it; the losses find it in their context either way.
    """

    encode: Callable[[str], Tensor] | None = None
    size: int = 0
    use: Literal["input", "latent", "label"] = "input"
    networks: Sequence[Literal["generator", "discriminator"]] = ("generator", "discriminator")

    @classmethod
    def on_labels(
        cls,
        dataset: DatasetSpec,
        networks: Sequence[Literal["generator", "discriminator"]] = ("generator", "discriminator"),
    ) -> Condition:
        """A condition by class label."""
        return cls(size=len(dataset.class_names), use="label", networks=networks)

    def encode_text(self, text: str) -> Tensor:
        """Encode a text.

        Raises:
            UsageError: The condition is a class label.
        """
        if self.encode is None:
            raise UsageError("this variant takes a class and no text: give --class")
        return self.encode(text)


@dataclass(frozen=True)
class Network:
    """A further network of a variant: an encoder, a teacher, a module that only holds buffers.

    Attributes:
        build: Builds it from the recipe and the dataset.
        update: Which update trains it, with the optimizer of the network of that name; `"none"`:
            no optimizer does, but a loss may change it in place, as it does a moving teacher.
    """

    build: Builder
    update: Update = "generator"


@dataclass(frozen=True)
class Accepts:
    """The data that a variant can be trained on; the default is any.

    Attributes:
        channels: Channels of the images, of 1 (grey) and 3 (RGB).
        image_sizes: Heights and widths in pixels at which it can be trained; None is any.
        classes: Least number of classes.
        points: Whether it can be trained on points, and with which numbers of its own: None is
            images only; names of recipe numbers that stay as they are on points, where all others
            in `ganbench.variant.on_points.NUMBERS` become those of the networks for points.
    """

    channels: tuple[int, ...] = (1, 3)
    image_sizes: tuple[int, ...] | None = None
    classes: int = 1
    points: tuple[str, ...] | None = None

    def refusal(self, spec: DatasetSpec, image_size: int) -> str:
        """Why a dataset is not accepted, for people; empty where it is."""
        if spec.kind == "points":
            return "" if self.points is not None else f"takes images, and {spec.name} holds points"
        if spec.channels not in self.channels:
            allowed = " or ".join(map(str, self.channels))
            return f"takes images of {allowed} channel(s), and {spec.name} has {spec.channels}"
        if self.image_sizes is not None and image_size not in self.image_sizes:
            allowed = ", ".join(map(str, self.image_sizes))
            return f"takes image_size {allowed}, and not {image_size}"
        if len(spec.class_names) < self.classes:
            return (
                f"takes data of at least {self.classes} classes, and {spec.name} has "
                f"{len(spec.class_names)}"
            )
        return ""


@dataclass(frozen=True)
class Variant:
    """A GAN variant: what its author says of it, and nothing of how it is run.

    The first six attributes make a complete variant; `docs/variants.md` shows the others in use.

    Attributes:
        title: One line for tables.
        paper: Citation or address of the source.
        recipe: Every number, each of which can be overridden.
        generator: Builds the network that maps latents (batch, latent_dim), and the condition
            where there is one, to images in [-1, 1] of shape
            (batch, channels, image_size, image_size).
        discriminator: Builds the network that maps such images, and the condition where there is
            one, to any number of outputs per image (logits or a critic's scores).
        losses: Builds the two objectives.
        condition: Builds the condition of a variant that takes prompts or class labels.
        output: What the discriminator's outputs are where the losses do not say it; decides how
            D(x) is reported: the mean of the sigmoid of logits, or of scores as they are.
        networks: Further networks by name.
        learning_rates: Fields of the recipe by the name of a network or a part of one, for example
            `{"generator.mapping": "lr_mapping"}`; all else has `lr_g` or `lr_d`.
        optimizer: Makes an optimizer that the recipe's numbers cannot name, from
            `(recipe, parameter groups, "generator" or "discriminator")`.
        latent: Builds a sampler of latents that the recipe's `latent` cannot name:
            `(count, random number generator) -> float32 of shape (count, latent_dim)`, on the
            device of the generator.
        augment: Builds the augmentation of all that the discriminator sees, a module that maps
            images to images and may hold state, instead of the one that the recipe's `augment`
            names. In a context it is the network `"augment"`.
        step: A training step of one's own, `(ganbench.Step, ganbench.Batches) -> None`; see
            `ganbench.Step`.
        accepts: The data that it can be trained on.
        clamp: Whether images may leave [-1, 1] in training and are clamped when drawn.
        group: Images of a batch that a network looks at together, for a statistic over groups; each
            process of a run has whole groups. BatchNorm and `packing` are known without it.
        interface: The version of the interface that it was written for.
    """

    title: str
    paper: str
    recipe: Recipe
    generator: Builder
    discriminator: Builder
    losses: Callable[[Any, DatasetSpec], Losses]
    condition: Callable[[Any, DatasetSpec], Condition] | None = None
    output: Output = "logit"
    networks: Mapping[str, Network] = field(default_factory=dict)
    learning_rates: Mapping[str, str] = field(default_factory=dict)
    optimizer: Callable[[Any, list[dict[str, Any]], str], torch.optim.Optimizer] | None = None
    latent: Callable[[Any, DatasetSpec], Callable[[int, torch.Generator], Tensor]] | None = None
    augment: Builder | None = None
    step: Callable[[Any, Any], None] | None = None
    accepts: Accepts = Accepts()
    clamp: bool = False
    group: int = 1
    interface: int = INTERFACE
