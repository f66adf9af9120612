"""A trained generator as a file for other programs: ONNX, TorchScript or safetensors."""

from __future__ import annotations

import copy
import io
import json
import logging
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from ganbench.errors import ExecutionError, UsageError
from ganbench.fakes.generator_files import (
    METADATA,
    ONNX_HINT,
    GeneratorFacts,
    load_generator_file,
)
from ganbench.machine.whole_files import whole, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ganbench.training.state import TrainState
    from ganbench.variant.definition import DatasetSpec

__all__ = ["ENDINGS", "ExportedGenerator", "Format", "exported", "write_generator"]

Format = Literal["onnx", "torchscript", "safetensors"]

ENDINGS: dict[Format, str] = {
    "onnx": ".onnx", "torchscript": ".torchscript", "safetensors": ".safetensors",
}  # fmt: skip
_SAFETENSORS_HINT = (
    "safetensors needs a further package: python -m pip install 'ganbench[safetensors]'"
)
_CHECKED = 16  # images that the file and the network both draw
_LARGEST_DIFFERENCE = 1e-2  # of numbers in [-1, 1]: one grey value or so


class ExportedGenerator(nn.Module):
    """A generator with plain inputs, whatever its variant gives it in training.

    Args:
        network: The trained network.
        table: What it is given for each class, in label order; None where it takes none.
        is_image: Whether it draws images, which are clamped to [-1, 1].
    """

    table: Tensor

    def __init__(self, network: nn.Module, table: Tensor | None, *, is_image: bool) -> None:
        super().__init__()
        self.network = network
        self.is_image = is_image
        self.has_classes = table is not None
        if table is not None:
            self.register_buffer("table", table)

    def forward(self, latents: Tensor, classes: Tensor | None = None) -> Tensor:
        """Draw.

        Args:
            latents: float32 of shape (batch, latent_dim).
            classes: int64 of shape (batch,), the class of each image; None where it takes none.

        Returns:
            float32 of shape (batch, channels, size, size) in [-1, 1], or points.
        """
        inputs = [latents]
        if self.has_classes and classes is not None:
            inputs.append(self.table[classes])
        images: Tensor = self.network(*inputs)
        return images.clamp(-1, 1) if self.is_image else images


def exported(
    state: TrainState, spec: DatasetSpec, image_size: int
) -> tuple[ExportedGenerator, GeneratorFacts]:
    """The generator of a run as a module on the CPU, and what others have to know of it.

    Raises:
        UsageError: Its latents are drawn by code of its own, which no file can say.
    """
    if state.latent_sampler is not None:
        raise UsageError(
            "this variant draws its latents by code of its own, which such a file cannot say: "
            "use --format safetensors, or `ganbench sample RUN --images DIR`"
        )
    table = state.conditions(spec) if state.takes_condition else None
    network = copy.deepcopy(state.sampler).cpu().eval().requires_grad_(requires_grad=False)
    module = ExportedGenerator(network, table, is_image=spec.kind == "image").eval()
    facts = GeneratorFacts(
        latent_dim=state.recipe.latent_dim,
        latent="uniform" if state.recipe.latent == "uniform" else "normal",
        classes=0 if table is None else len(spec.class_names),
        is_ours=True,
        image_size=image_size if spec.kind == "image" else 0,
        dataset=spec.name,
    )
    return module, facts


def write_generator(
    state: TrainState, spec: DatasetSpec, file_format: Format, target: Path, notes: dict[str, str]
) -> float | None:
    """Write the generator of a run to a file, and see that the file draws the same.

    Args:
        state: The networks of the run; its sampler is written.
        spec: What it was trained on.
        file_format: `onnx` and `torchscript` hold the network as a program with the inputs
            `latents`, float32 (batch, latent_dim), and for a variant by class `classes`, int64
            (batch,); `safetensors` holds its weights alone, under their names.
        target: The file; its folder has to be there.
        notes: Further texts for the metadata of safetensors.

    Returns:
        The largest difference between a number that the file and the network draw from the same
        latents; None for safetensors, and for a generator that draws noise of its own.

    Raises:
        UsageError: A package is missing, or the variant cannot be written so.
        ExecutionError: torch cannot translate the network, or the file draws other images.
        OSError: The file cannot be written.
    """
    if file_format == "safetensors":
        _write_safetensors(state, target, notes)
        return None
    module, facts = exported(state, spec, int(state.recipe.image_size))
    stream = torch.Generator().manual_seed(0)
    latents = state.latents(_CHECKED, stream)
    classes = torch.arange(_CHECKED) % facts.classes if facts.classes else None
    arguments = (latents,) if classes is None else (latents, classes)
    with torch.inference_mode():
        expected, again = module(*arguments), module(*arguments)
    with whole(target) as temporary:
        write = _write_onnx if file_format == "onnx" else _write_torchscript
        with _translation(file_format):
            write(module, arguments, facts, temporary)
        loaded = load_generator_file(temporary, torch.device("cpu"))
        drawn = loaded.draw(latents, classes)
        if not torch.equal(expected, again):
            return None
        difference = float((drawn - expected).abs().max())
        if drawn.shape != expected.shape or not difference <= _LARGEST_DIFFERENCE:
            raise ExecutionError(
                f"the file of {file_format} draws other images than the network (differences up to "
                f"{difference:.2g}), so it was not kept: use another --format"
            )
    return difference


@contextmanager
def _translation(file_format: str) -> Iterator[None]:
    """Keep the translator quiet, and say in one line what it cannot do."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the ways in which torch itself will change
            yield
    except (UsageError, OSError):
        raise
    except Exception as error:  # the translator raises many kinds
        text = " ".join(str(error).split())
        raise ExecutionError(
            f"torch cannot translate this generator to {file_format} "
            f"({type(error).__name__}: {text[:200]}): use another --format"
        ) from error
    finally:
        log.setLevel(level)


def _write_torchscript(
    module: ExportedGenerator, arguments: tuple[Tensor, ...], facts: GeneratorFacts, path: Path
) -> None:
    traced = torch.jit.trace(module, arguments, check_trace=False)
    program = io.BytesIO()  # of a full disk, torch's own writer says nothing that helps
    torch.jit.save(traced, program, _extra_files={METADATA: facts.to_json()})
    path.write_bytes(program.getbuffer())


def _write_onnx(
    module: ExportedGenerator, arguments: tuple[Tensor, ...], facts: GeneratorFacts, path: Path
) -> None:
    try:
        import onnx
        import onnxruntime  # noqa: F401 - with which the file is checked
        import onnxscript  # noqa: F401 - which torch's translator needs
    except ImportError as error:
        raise UsageError(ONNX_HINT) from error
    names = ["latents", "classes"][: len(arguments)]
    batch = torch.export.Dim("batch")
    program = torch.onnx.export(
        module,
        arguments,
        dynamo=True,
        input_names=names,
        output_names=["images"],
        dynamic_shapes=tuple({0: batch} for _ in arguments),
        verbose=False,
    )
    if program is None:
        raise ExecutionError("torch gave no ONNX program")
    proto = program.model_proto
    onnx.helper.set_model_props(proto, {METADATA: facts.to_json()})
    onnx.save(proto, str(path))


def _write_safetensors(state: TrainState, path: Path, notes: dict[str, str]) -> None:
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise UsageError(_SAFETENSORS_HINT) from error
    weights = {
        name: values.detach().cpu().clone().contiguous()
        for name, values in state.sampler.state_dict().items()
    }
    metadata = {**notes, "recipe": json.dumps(state.recipe.model_dump(), default=str)}
    write_whole(path, save(weights, metadata=metadata))
