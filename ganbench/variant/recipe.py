"""The numbers of a variant: each with a default, a range and a description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from ganbench.errors import UsageError, unknown
from ganbench.variant.budget import Budget
from ganbench.variant.schedule import Scheduled, bounds_broken, scheduled
from ganbench.visible import visible

__all__ = ["AUGMENTATIONS", "Recipe"]

AUGMENTATIONS = ("color", "translation", "cutout", "flip")
"""What `ganbench.variant.augmentation` can do, by the names that a recipe's `augment` takes."""

_NO_AUGMENTATION = "none"


def _budget_text(text: str) -> str:
    try:
        return str(Budget.parse(text))
    except UsageError as error:  # pydantic turns a ValueError into its own report
        raise ValueError(str(error)) from error


BudgetText = Annotated[str, AfterValidator(_budget_text)]


def _policy_text(text: str) -> str:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names == [_NO_AUGMENTATION]:
        return _NO_AUGMENTATION
    for name in names:
        if name not in AUGMENTATIONS:
            raise ValueError(f"{name!r} is neither none nor one of {', '.join(AUGMENTATIONS)}")
    return ",".join(dict.fromkeys(names)) or _NO_AUGMENTATION


PolicyText = Annotated[str, AfterValidator(_policy_text)]


class Recipe(BaseModel):
    """Every number of a variant. The defaults are those of the DCGAN.

    A variant with further numbers subclasses this in its own file, with a default for each:

        class Recipe(ganbench.Recipe):
            penalty: float = Field(10.0, ge=0, description="weight of the gradient penalty")

    Each field can be overridden on the command line, as `--set lr_g=1e-4`. A number of the type
    `Scheduled` may change over the budget, as `--set lr_g=2e-4:0`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    # What a step sees
    batch_size: int = Field(64, ge=2, description="real images per discriminator step")
    image_size: int = Field(64, ge=8, description="height and width of the images, in pixels")
    latent_dim: int = Field(100, ge=1, description="entries of the latent vector")
    latent: Literal["normal", "uniform"] = Field(
        "normal", description="distribution of the latent's entries: N(0, 1) or uniform in [-1, 1]"
    )
    generator_batch: int = Field(
        1, ge=1, description="generated images per generator step, in multiples of batch_size"
    )
    packing: int = Field(
        1, ge=1, description="images that the discriminator sees joined along the channels (PacGAN)"
    )
    augment: PolicyText = Field(
        _NO_AUGMENTATION,
        description="augmentation of all that the discriminator sees: none, or of "
        "color, translation, cutout and flip, separated by commas",
    )

    # The networks
    generator_width: int = Field(64, ge=1, description="channels of the widest-resolution layer")
    discriminator_width: int = Field(64, ge=1, description="channels of the first layer")
    initial_weights: Literal["own", "pytorch", "normal", "xavier", "orthogonal"] = Field(
        "own",
        description="how convolutions and linear layers begin: as the variant draws them, as "
        "PyTorch does, N(0, 0.02) as in the DCGAN paper, Glorot's, or orthogonal",
    )

    # The updates
    d_steps: int = Field(1, ge=1, description="discriminator updates per step")
    g_steps: int = Field(1, ge=1, description="generator updates per step")
    optimizer: Literal["adam", "adamw", "rmsprop", "sgd"] = Field(
        "adam", description="optimizer of both networks"
    )
    lr_g: Scheduled = scheduled(2e-4, gt=0, description="learning rate of the generator")
    lr_d: Scheduled = scheduled(2e-4, gt=0, description="learning rate of the discriminator")
    beta1: Scheduled = scheduled(
        0.5, ge=0, lt=1, description="Adam's first moment decay; momentum of RMSprop and SGD"
    )
    beta2: Scheduled = scheduled(
        0.999, ge=0, lt=1, description="Adam's second moment decay; smoothing constant of RMSprop"
    )
    eps: float = Field(1e-8, gt=0, description="added to the denominator by Adam and RMSprop")
    weight_decay: float = Field(0.0, ge=0, description="weight decay of the optimizers")
    weight_clip: float = Field(
        0.0,
        ge=0,
        description="the discriminator's weights are clipped to plus or minus this; 0 is without",
    )

    # The losses
    real_label: float = Field(1.0, ge=0, le=1, description="discriminator's target on real images")
    fake_label: float = Field(0.0, ge=0, le=1, description="discriminator's target on fake images")
    generator_label: float = Field(1.0, ge=0, le=1, description="generator's target on fake images")

    # The moving average of the generator
    ema_decay: Scheduled = scheduled(
        0.0,
        ge=0,
        lt=1,
        description="decay of the generator's moving average per step; 0 is without",
    )
    ema_half_life_kimg: Scheduled = scheduled(
        0.0,
        ge=0,
        description="half-life of the moving average in thousands of images, instead of ema_decay",
    )
    ema_ramp: float = Field(
        0.0,
        ge=0,
        description="the half-life is at most this share of the images seen; 0 is without",
    )
    ema_start: int = Field(0, ge=0, description="steps before the moving average begins")

    # What is used where nothing is named
    dataset: str = Field("cifar10", description="the dataset that is used where none is named")
    budget: BudgetText = Field(
        "25epochs", description="the budget that is used where none is named"
    )
    sample_every: BudgetText = Field("100steps", description="how often a grid of samples is drawn")

    @property
    def augments(self) -> bool:
        """Whether what the discriminator sees is augmented as the recipe says."""
        return self.augment != _NO_AUGMENTATION

    @field_validator("*")
    @classmethod
    def _within_bounds(cls, value: Any, info: ValidationInfo) -> Any:
        bounds = cls.model_fields[str(info.field_name)].json_schema_extra
        is_number = isinstance(value, int | float | str)
        if isinstance(bounds, dict) and is_number and (wrong := bounds_broken(value, bounds)):
            raise ValueError(wrong)
        return value

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
                raise UsageError(visible(f"{given} is not allowed: {message}")) from error
            key = str(first["loc"][0])
            given = values.get(key, first["input"])
            raise UsageError(visible(f"{key}={given} is not allowed: {message}")) from error
