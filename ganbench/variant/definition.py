"""What a variant is: a recipe of numbers, and functions that build two networks and a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ganbench.errors import UsageError, unknown
from ganbench.variant.budget import Budget
from ganbench.variant.text import tokenize

if TYPE_CHECKING:
    from torch import Tensor, nn

    Bound = Callable[[Tensor], Tensor]
    LossFunction = Callable[[Bound, Tensor, Tensor], Tensor]

__all__ = ["Condition", "DatasetSpec", "Losses", "Recipe", "Variant"]


def _budget_text(text: str) -> str:
    try:
        return str(Budget.parse(text))
    except UsageError as error:  # pydantic turns a ValueError into its own report
        raise ValueError(str(error)) from error


BudgetText = Annotated[str, AfterValidator(_budget_text)]


class Recipe(BaseModel):
    """Every number of a variant. The defaults are those of the DCGAN.

    A variant with further numbers subclasses this in its own file, with a default for each:

        class Recipe(ganbench.Recipe):
            penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty")

    Each field can be overridden on the command line, as `--set lr_g=1e-4`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    batch_size: int = Field(64, ge=2, description="real images a discriminator step")
    latent_dim: int = Field(100, ge=1, description="entries of the latent vector")
    image_size: int = Field(64, ge=8, description="height and width of the images, in pixels")
    lr_g: float = Field(2e-4, gt=0, description="Adam learning rate of the generator")
    lr_d: float = Field(2e-4, gt=0, description="Adam learning rate of the discriminator")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second moment decay")
    generator_width: int = Field(64, ge=1, description="channels of the widest-resolution layer")
    discriminator_width: int = Field(64, ge=1, description="channels of the first layer")
    real_label: float = Field(1.0, ge=0, le=1, description="discriminator's target on real images")
    fake_label: float = Field(0.0, ge=0, le=1, description="discriminator's target on fake images")
    generator_label: float = Field(1.0, ge=0, le=1, description="generator's target on fake images")
    d_steps: int = Field(1, ge=1, description="discriminator steps a generator step")
    ema_decay: float = Field(
        0.0, ge=0, lt=1, description="decay of the generator's moving average; 0 is without"
    )
    dataset: str = Field("cifar10", description="the dataset that is used where none is named")
    budget: BudgetText = Field(
        "25epochs", description="the budget that is used where none is named"
    )
    sample_every: BudgetText = Field("100steps", description="how often a grid of samples is drawn")

    def override(self, values: Mapping[str, Any]) -> Self:
        """Return a copy with some numbers replaced; texts are converted to the field's type.

        Raises:
            UsageError: A key is not a field of this recipe, or a value is not allowed for it.
        """
        for key in values:
            if key not in type(self).model_fields:
                raise unknown("recipe key", key, type(self).model_fields)
        try:
            return type(self).model_validate({**self.model_dump(), **values})
        except ValidationError as error:
            first = error.errors()[0]
            message = first["msg"].removeprefix("Value error, ")
            if not first["loc"]:  # a validator of the whole recipe, in a variant's subclass
                given = ", ".join(f"{key}={value}" for key, value in values.items())
                raise UsageError(f"{given} is not allowed: {message}") from error
            key = ".".join(map(str, first["loc"]))
            raise UsageError(f"{key}={first['input']} is not allowed: {message}") from error


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a dataset before its images are read.

    Attributes:
        name: As on the command line, for example `"mnist"` or `"imagefolder:faces"`.
        channels: 1 (grey) or 3 (RGB).
        native_size: Height and width of the stored images, in pixels.
        class_names: One name a class, in label order.
        train_count: Images in the training split.
        test_count: Images in the test split.
        caption: Template of a caption, with `{}` where the class name belongs.
    """

    name: str
    channels: int
    native_size: int
    class_names: tuple[str, ...]
    train_count: int
    test_count: int
    caption: str = "a photo of a {}"

    @property
    def captions(self) -> tuple[str, ...]:
        """One caption a class, in label order."""
        return tuple(self.caption.format(name.replace("_", " ")) for name in self.class_names)

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words that occur in the captions."""
        return frozenset(word for caption in self.captions for word in tokenize(caption))


@dataclass(frozen=True)
class Losses:
    """The two objectives, both to be minimised, with one signature.

    `d_loss(discriminator, real, fake)` and `g_loss(discriminator, real, fake)` return a scalar
    tensor. `real` and `fake` are images in [-1, 1] of shape (batch, channels, size, size), and
    `discriminator` maps such images to one unbounded number an image, of shape (batch,) or
    (batch, 1); a conditional discriminator arrives bound to its condition. In `d_loss`, `fake` is
    detached from the generator.
    """

    d_loss: LossFunction
    g_loss: LossFunction


@dataclass(frozen=True)
class Condition:
    """How text steers a variant.

    Attributes:
        encode: Turns a text into a float32 vector of shape (size,).
        size: Entries of that vector.
        use: `"input"`: both networks take the encoded caption of each image's class as a second
            argument of shape (batch, size), in training and in sampling. `"latent"`: the networks
            are trained without text, and the vector replaces the latent when a prompt is drawn.
    """

    encode: Callable[[str], Tensor]
    size: int
    use: Literal["input", "latent"] = "input"


@dataclass(frozen=True)
class Variant:
    """A GAN variant: what its author says of it, and nothing of how it is run.

    Attributes:
        title: One line for tables.
        paper: Citation or address of the source.
        recipe: Every number, each of which can be overridden.
        generator: Builds the network that maps latents (batch, latent_dim), and the condition
            where there is one, to images in [-1, 1] of shape
            (batch, channels, image_size, image_size).
        discriminator: Builds the network that maps such images, and the condition where there is
            one, to one unbounded number (a logit or a critic's score) an image.
        losses: Builds the two objectives.
        condition: Builds the text encoding of a variant that takes prompts.
        output: What the discriminator's number is; decides how D(x) is reported: the sigmoid of a
            logit, a score as it is.
    """

    title: str
    paper: str
    recipe: Recipe
    generator: Callable[[Any, DatasetSpec], nn.Module]
    discriminator: Callable[[Any, DatasetSpec], nn.Module]
    losses: Callable[[Any, DatasetSpec], Losses]
    condition: Callable[[Any, DatasetSpec], Condition] | None = field(default=None)
    output: Literal["logit", "score"] = "logit"
