"""Generators in files of TorchScript and ONNX: programs, which are run to draw images.

A file that `ganbench export` has written says in its metadata what its inputs are; of another one
they are read from the file, or given by the user.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

import torch

from ganbench.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

__all__ = [
    "GENERATOR_ENDINGS",
    "LATENTS",
    "METADATA",
    "ONNX_HINT",
    "GeneratorFacts",
    "Latent",
    "LoadedGenerator",
    "load_generator_file",
]

GENERATOR_ENDINGS = (".onnx", ".ts", ".jit", ".torchscript")
METADATA = "ganbench.json"
"""Where a file of ours holds its facts: an extra file of TorchScript, a property of ONNX."""
ONNX_HINT = "ONNX needs further packages: python -m pip install 'ganbench[onnx]'"

Latent = Literal["normal", "uniform"]
LATENTS: tuple[Latent, ...] = ("normal", "uniform")
_INPUTS = 2  # a latent, and a class


@dataclass(frozen=True)
class GeneratorFacts:
    """What is known of a generator in a file.

    Attributes:
        latent_dim: Entries of a latent.
        latent: Distribution of its entries: N(0, 1), or uniform in [-1, 1].
        classes: Number of classes, where the second input is the class of each image, int64 of
            shape (batch,); 0 where there is none.
        is_ours: Whether `ganbench export` has written the file.
        image_size: Height and width of the images, in pixels; 0 where it is not known.
        dataset: What it was trained on; empty where it is not known.
    """

    latent_dim: int
    latent: Latent = "normal"
    classes: int = 0
    is_ours: bool = False
    image_size: int = 0
    dataset: str = ""

    def to_json(self) -> str:
        """The facts as the text that a file of ours holds."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """Read the facts; None where the text holds none."""
        try:
            values = json.loads(text)
            facts = cls(**{name: values[name] for name in cls.__dataclass_fields__})
        except (ValueError, TypeError, KeyError):
            return None
        numbers = (facts.latent_dim, facts.classes, facts.image_size)
        are_counts = all(type(number) is int and number >= 0 for number in numbers)
        known = facts.latent in ("normal", "uniform")
        return facts if are_counts and facts.latent_dim and known else None


@dataclass(frozen=True)
class LoadedGenerator:
    """A generator that has been read from a file.

    Attributes:
        facts: What is known of it.
        draw: Maps latents, float32 of shape (n, latent_dim), and classes or None, to what the
            program returns, as a tensor on the CPU.
        batch_size: How many latents it takes at once; None for any number.
    """

    facts: GeneratorFacts
    draw: Callable[[Tensor, Tensor | None], Tensor]
    batch_size: int | None = None


def load_generator_file(
    path: Path, device: torch.device, latent_dim: int | None = None, latent: Latent | None = None
) -> LoadedGenerator:
    """Read a generator of TorchScript or ONNX. What is in the file is run when images are drawn.

    Args:
        path: The file.
        device: Where TorchScript is run; ONNX is run on the CPU.
        latent_dim: Entries of a latent, where the file does not say it.
        latent: Distribution of its entries, where it is not the one that the file says.

    Raises:
        DataError: The file cannot be read.
        UsageError: A package is missing, or the file does not say what its inputs are.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file: give a generator of TorchScript or ONNX")
    load = _onnx if path.suffix == ".onnx" else _torchscript
    return load(path, device, latent_dim, latent)


def _facts(
    path: Path,
    stored: GeneratorFacts | None,
    read: int | None,
    latent_dim: int | None,
    latent: Latent | None,
) -> GeneratorFacts:
    """What is known of a generator: what the user says, its metadata, or its input's shape."""
    known = latent_dim or (stored.latent_dim if stored else read)
    if not known:
        raise UsageError(
            f"{path} does not say how many entries a latent has: give --latent-dim, such as 128"
        )
    if stored is None:
        return GeneratorFacts(known, latent or "normal")
    values = {**asdict(stored), "latent_dim": known, "latent": latent or stored.latent}
    return GeneratorFacts(**values)


def _torchscript(
    path: Path, device: torch.device, latent_dim: int | None, latent: Latent | None
) -> LoadedGenerator:
    extra: dict[str, Any] = {METADATA: ""}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch recommends another format for new files
            module = torch.jit.load(str(path), map_location=device, _extra_files=extra)
    except Exception as error:  # its reader raises many kinds
        raise _unreadable(path, "TorchScript", error) from error
    text = extra[METADATA]
    stored = GeneratorFacts.from_json(text.decode() if isinstance(text, bytes) else text)
    module.eval()

    def draw(latents: Tensor, classes: Tensor | None) -> Tensor:
        inputs = [latents.to(device), *([] if classes is None else [classes.to(device)])]
        with torch.inference_mode():
            drawn = _called(path, lambda: module(*inputs))
        return _tensor(path, drawn)

    return LoadedGenerator(_facts(path, stored, None, latent_dim, latent), draw)


def _onnx(
    path: Path, _device: torch.device, latent_dim: int | None, latent: Latent | None
) -> LoadedGenerator:
    try:
        import onnxruntime
    except ImportError as error:
        raise UsageError(f"{path}: {ONNX_HINT}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors alone: they are raised too
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        metadata = session.get_modelmeta().custom_metadata_map
    except Exception as error:  # its reader raises many kinds
        raise _unreadable(path, "ONNX", error) from error
    inputs = session.get_inputs()
    stored = GeneratorFacts.from_json(metadata.get(METADATA, ""))
    wanted = _INPUTS if stored is not None and stored.classes else 1
    if len(inputs) != wanted:
        names = ", ".join(each.name for each in inputs)
        raise UsageError(
            f"{path} has the inputs {names}: a generator with one input, latents of shape "
            "(batch, entries), can be scored; or give its images as a folder or an array"
        )
    shape = inputs[0].shape
    number = shape[1] if len(shape) > 1 and isinstance(shape[1], int) else None
    batch = shape[0] if shape and isinstance(shape[0], int) else None
    facts = _facts(path, stored, number, latent_dim, latent)
    if number and number != facts.latent_dim:
        raise UsageError(f"{path} takes latents of {number} entries, and not {facts.latent_dim}")

    def draw(latents: Tensor, classes: Tensor | None) -> Tensor:
        given = latents if len(shape) <= _INPUTS else latents.reshape(len(latents), *_rest(shape))
        feed = {inputs[0].name: given.numpy()}
        if classes is not None:
            feed[inputs[1].name] = classes.numpy()
        return _tensor(path, _called(path, lambda: session.run(None, feed)[0]))

    return LoadedGenerator(facts, draw, batch)


def _rest(shape: list[Any]) -> tuple[int, ...]:
    """All but the first of the dimensions of an input, such as (100, 1, 1)."""
    return tuple(size if isinstance(size, int) else 1 for size in shape[1:])


def _called(path: Path, call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as error:  # a foreign program may raise anything
        text = " ".join(str(error).split())
        raise DataError(
            f"{path} draws no images from latents ({type(error).__name__}: {text[-200:]}): "
            "it has to map float32 of shape (batch, entries) to images"
        ) from error


def _tensor(path: Path, drawn: Any) -> Tensor:
    if isinstance(drawn, list | tuple) and drawn:
        drawn = drawn[0]
    if not isinstance(drawn, torch.Tensor):
        try:
            drawn = torch.as_tensor(drawn)
        except (TypeError, ValueError, RuntimeError) as error:
            kind = type(drawn).__name__
            raise DataError(f"{path} returns a {kind} and no images") from error
    images: Tensor = drawn.cpu()
    return images


def _unreadable(path: Path, what: str, error: Exception) -> DataError:
    text = " ".join(str(error).split())
    return DataError(f"{path} cannot be read as {what} ({type(error).__name__}: {text[:200]})")
