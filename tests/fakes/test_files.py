"""Files of images: arrays, folders and generators; none of them runs code unasked."""

from __future__ import annotations

import os
import pickle
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.data.dataset import ignore_progress
from ganbench.errors import DataError, UsageError
from ganbench.fakes.array_files import is_torchscript, read_array
from ganbench.fakes.folder import decode_files, image_files
from ganbench.fakes.generator_files import METADATA, GeneratorFacts, load_generator_file
from ganbench.fakes.sizes import fitted
from ganbench.fakes.source import FakeOptions, open_source

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 8, 8), np.uint8)
CPU = torch.device("cpu")


class Harmful:
    """Something whose pickle runs code when it is read."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return os.mkdir, (self.marker,)


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(5, 64)

    def forward(self, latents):
        return self.layer(latents).tanh().view(-1, 1, 8, 8)


@pytest.fixture
def scripted(tmp_path):
    """A TorchScript generator, and the module that it was traced from."""

    def write(extra=None):
        module, path = Linear(), tmp_path / "generator.pt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.save(torch.jit.trace(module, torch.zeros(2, 5)), path, _extra_files=extra)
        return module, path

    return write


# --- Arrays


def test_each_kind_of_array_file_gives_its_numbers(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    np.savez(tmp_path / "b.npz", arr_0=IMAGES, arr_1=np.zeros(3))
    torch.save(torch.from_numpy(IMAGES), tmp_path / "c.pt")
    torch.save({"images": torch.from_numpy(IMAGES), "step": 3}, tmp_path / "d.pt")
    for name in ("a.npy", "b.npz", "c.pt", "d.pt"):
        np.testing.assert_array_equal(np.asarray(read_array(tmp_path / name)), IMAGES)


def test_one_of_several_arrays_is_asked_for_by_name(tmp_path):
    np.savez(tmp_path / "two.npz", first=IMAGES, second=IMAGES[:3])
    with pytest.raises(UsageError, match="first, second: say which with --key"):
        read_array(tmp_path / "two.npz")
    assert len(read_array(tmp_path / "two.npz", "second")) == 3
    with pytest.raises(UsageError, match="no array 'third': it has first, second"):
        read_array(tmp_path / "two.npz", "third")


def test_pickled_objects_are_refused_and_not_run(tmp_path):
    marker = tmp_path / "ran"
    harmful = np.array([Harmful(marker)], dtype=object)
    np.save(tmp_path / "a.npy", harmful, allow_pickle=True)
    np.savez(tmp_path / "b.npz", images=harmful)
    torch.save(Harmful(marker), tmp_path / "c.pt")
    for name in ("a.npy", "b.npz", "c.pt"):
        with pytest.raises(DataError, match="pickled objects"):
            read_array(tmp_path / name)
    (tmp_path / "d.npz").write_bytes(pickle.dumps(Harmful(marker)))
    with pytest.raises(DataError, match="no archive"):
        read_array(tmp_path / "d.npz")
    assert not marker.exists()


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.pt"])
def test_a_damaged_array_file_is_named(tmp_path, name):
    np.save(tmp_path / "whole.npy", IMAGES)
    (tmp_path / name).write_bytes((tmp_path / "whole.npy").read_bytes()[:150])
    with pytest.raises(DataError, match=f"{name} (cannot be read|is no archive)"):
        read_array(tmp_path / name)


# --- Folders


def test_a_folder_of_images_keeps_every_pixel(tmp_path):
    (tmp_path / "more").mkdir()
    for place, image in enumerate(IMAGES):
        Image.fromarray(image).save(tmp_path / ("more" if place > 8 else ".") / f"{place:02}.png")
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no image")
    images, notes = decode_files(image_files(tmp_path), 1, 8, ignore_progress)
    np.testing.assert_array_equal(images.numpy()[:, 0], IMAGES)
    assert notes == ()


def test_images_of_several_sizes_are_brought_to_one_and_that_is_said(tmp_path):
    for place, size in enumerate([(8, 8), (12, 10)]):
        Image.new("RGB", size, "white").save(tmp_path / f"{place}.png")
    images, notes = decode_files(image_files(tmp_path), 1, 6, ignore_progress)
    assert images.shape == (2, 1, 6, 6)
    assert bool((images == 255).all())
    assert notes == (
        "the images are of several sizes: cut to squares and resized to 6×6",
        "2 images are stored in colour: converted to grey",
    )


def test_a_folder_without_images_and_a_run_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no image"):
        image_files(tmp_path)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(DataError, match="is a run of ganbench"):
        image_files(tmp_path)


# --- Sizes


def test_a_border_or_an_enlargement_is_asked_for():
    images = torch.from_numpy(IMAGES[:, None])
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1))
    with pytest.raises(UsageError, match=r"--fit crop.*--fit resize"):
        fitted(padded, 8, "auto", "a")
    cropped, notes = fitted(padded, 8, "crop", "a")
    assert torch.equal(cropped, images)
    assert notes == ("the images of 10×10 pixels are cut to their middle, 8×8",)
    assert fitted(padded, 8, "resize", "a")[0].shape == images.shape


def test_much_larger_and_smaller_images_are_resized():
    flat = torch.full((2, 1, 16, 16), 77, dtype=torch.uint8)
    for size in (8, 24):
        resized, notes = fitted(flat, size, "auto", "a")
        assert torch.equal(resized, torch.full((2, 1, size, size), 77, dtype=torch.uint8))
        assert len(notes) == 1
    assert fitted(flat, 16, "auto", "a") == (flat, ())


# --- Generators


def test_a_torchscript_generator_draws_what_its_module_draws(scripted):
    module, path = scripted()
    assert is_torchscript(path)
    loaded = load_generator_file(path, CPU, latent_dim=5)
    latents = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loaded.draw(latents, None), module(latents).detach())


def test_a_generator_has_to_say_the_size_of_its_latents(scripted):
    _, path = scripted()
    with pytest.raises(UsageError, match="--latent-dim"):
        load_generator_file(path, CPU)
    _, path = scripted({METADATA: GeneratorFacts(5, "uniform").to_json()})
    facts = load_generator_file(path, CPU).facts
    assert (facts.latent_dim, facts.latent) == (5, "uniform")


@pytest.mark.parametrize(
    "text", ["", "[]", '{"latent_dim": 5}', GeneratorFacts(0).to_json(), "nonsense"]
)
def test_metadata_that_say_nothing_are_none(text):
    assert GeneratorFacts.from_json(text) is None


def test_latents_of_a_wrong_size_are_one_line(scripted, digits):
    _, path = scripted()
    source = open_source(path, FakeOptions(latent_dim=6))
    with pytest.raises(DataError, match=r"draws no images from latents") as caught:
        source.take(digits, 20, 0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.ts", "a.onnx"])
def test_a_file_that_is_no_generator_is_one_line(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing")
    if name.endswith("onnx"):
        pytest.importorskip("onnxruntime")
    with pytest.raises(DataError, match="cannot be read as") as caught:
        load_generator_file(tmp_path / name, CPU)
    assert "\n" not in str(caught.value)


def test_onnx_without_its_package_is_a_hint(tmp_path, monkeypatch):
    import sys

    (tmp_path / "a.onnx").write_bytes(b"nothing")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match=r"pip install 'ganbench\[onnx\]'"):
        load_generator_file(tmp_path / "a.onnx", CPU)


# --- Sources


def test_a_source_takes_images_as_the_dataset_stores_its_own(scripted, digits, tmp_path):
    _, path = scripted()
    np.save(tmp_path / "a.npy", IMAGES)
    array = open_source(tmp_path / "a.npy")
    assert array.count == 12
    np.testing.assert_array_equal(array.take(digits, 12, 0).images[:, 0].numpy(), IMAGES)
    drawn = open_source(path, FakeOptions(latent_dim=5))
    assert drawn.count is None
    assert drawn.take(digits, 300, 0).images.shape == (300, 1, 8, 8)


def test_some_of_many_images_are_chosen_by_the_seed(digits):
    source = open_source(IMAGES)
    chosen = [source.take(digits, 5, seed).images for seed in (0, 0, 1)]
    assert torch.equal(chosen[0], chosen[1])
    assert not torch.equal(chosen[0], chosen[2])
    known = {image.tobytes() for image in IMAGES}
    assert len({image.numpy().tobytes() for image in chosen[0]} & known) == 5


def test_equal_content_has_one_hash_and_an_option_another(tmp_path):
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, IMAGES)
    first, second = (open_source(tmp_path / name).hash() for name in ("a.npy", "b.npy"))
    assert first == second
    assert open_source(tmp_path / "a.npy", FakeOptions(fit="crop")).hash() != first


@pytest.mark.parametrize("given", ["missing", "readme.md", 7])
def test_what_is_no_source_is_refused(tmp_path, given):
    (tmp_path / "readme.md").write_text("text")
    with pytest.raises(UsageError):
        open_source(given if given == 7 else tmp_path / given)


def test_a_pipe_is_neither_waited_for_nor_taken_for_a_program(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert not is_torchscript(pipe)
    with pytest.raises(UsageError, match="neither a folder of images nor a file") as caught:
        open_source(pipe)
    assert "\n" not in str(caught.value)
