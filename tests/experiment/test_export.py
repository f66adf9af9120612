"""Generators as files: they draw what the network draws, in other programs too."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
import torch
from command_line import ganbench, one_line
from PIL import Image

from ganbench.check.trial import SPECS, accepted, small_trials
from ganbench.errors import ExecutionError, UsageError
from ganbench.experiment.export import ENDINGS, exported, write_generator
from ganbench.fakes.generator_files import load_generator_file
from ganbench.variant.registry import entries, resolve

CPU = torch.device("cpu")


def state_of(name):
    """A variant's networks, small and untrained, and what they are for."""
    (resolved,) = resolve([name])
    trial = small_trials(resolved.variant, accepted(resolved.variant, SPECS))[0]
    return trial.create(), trial.spec


def drawn_by(state, spec, latents, classes=None):
    network = state.sampler.eval()
    inputs = [latents]
    if classes is not None:
        inputs.append(state.conditions(spec)[classes])
    with torch.inference_mode():
        return network(*inputs)


@pytest.mark.parametrize("name", ["mlp", "cgan"])
def test_a_torchscript_file_draws_what_the_network_draws(name, tmp_path):
    state, spec = state_of(name)
    path = tmp_path / "g.torchscript"
    assert write_generator(state, spec, "torchscript", path, {}) <= 1e-5
    loaded = load_generator_file(path, CPU)
    facts = loaded.facts
    assert facts.latent_dim == state.recipe.latent_dim
    assert facts.classes == (10 if name == "cgan" else 0)
    latents = torch.randn(3, facts.latent_dim, generator=torch.Generator().manual_seed(5))
    classes = torch.tensor([7, 0, 3]) if facts.classes else None
    expected = drawn_by(state, spec, latents, classes)
    torch.testing.assert_close(loaded.draw(latents, classes), expected)


def test_safetensors_hold_the_weights_and_the_numbers(tmp_path):
    safetensors = pytest.importorskip("safetensors")
    state, spec = state_of("mlp")
    path = tmp_path / "g.safetensors"
    write_generator(state, spec, "safetensors", path, {"variant": "mlp"})
    with safetensors.safe_open(str(path), "pt") as file:
        assert file.metadata()["variant"] == "mlp"
        assert json.loads(file.metadata()["recipe"])["latent_dim"] == state.recipe.latent_dim
        for name, values in state.sampler.state_dict().items():
            assert torch.equal(file.get_tensor(name), values)


def test_a_file_that_draws_other_images_is_not_kept(tmp_path, monkeypatch):
    state, spec = state_of("mlp")
    other, _ = exported(state, spec, 32)
    torch.nn.init.zeros_(next(other.network.parameters()))

    def write(_module, arguments, facts, path):
        traced = torch.jit.trace(other, arguments, check_trace=False)
        torch.jit.save(traced, path, _extra_files={"ganbench.json": facts.to_json()})

    monkeypatch.setattr("ganbench.experiment.export._write_torchscript", write)
    with pytest.raises(ExecutionError, match="draws other images"):
        write_generator(state, spec, "torchscript", tmp_path / "g.ts", {})
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_be_translated_is_one_line(tmp_path):
    state, spec = state_of("mlp")

    class Odd(torch.nn.Module):
        def forward(self, latents):
            return [{"a set": {1}}, latents]

    state.networks["generator"] = Odd()
    state.average = None
    with pytest.raises((ExecutionError, AttributeError)) as caught:
        write_generator(state, spec, "torchscript", tmp_path / "g.ts", {})
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file_format", ["onnx", "safetensors"])
def test_a_missing_package_is_a_hint(file_format, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    state, spec = state_of("mlp")
    with pytest.raises(UsageError, match=rf"pip install 'ganbench\[{file_format}\]'"):
        write_generator(state, spec, file_format, tmp_path / f"g{ENDINGS[file_format]}", {})


def test_the_command_refuses_what_is_no_run(tmp_path, capsys):
    assert ganbench("export", tmp_path, "--format", "onnx") == 2
    one_line(capsys)


# --- Every variant, and other programs


BUILT_IN = [entry.name for entry in entries() if entry.kind == "built-in"]
UNLIKE = ["cgan", "dcgan", "mlp", "r3gan", "sngan-resnet", "stylegan2", "texthash"]
"""Variants whose generators are unlike each other; ONNX takes many seconds for each."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file_format", "name"),
    [("torchscript", name) for name in BUILT_IN] + [("onnx", name) for name in UNLIKE],
)
def test_every_variant_can_be_exported(file_format, name, tmp_path):
    pytest.importorskip("onnxruntime")
    state, spec = state_of(name)
    path = tmp_path / f"g{ENDINGS[file_format]}"
    difference = write_generator(state, spec, file_format, path, {})
    assert difference is None or difference < 1e-4
    facts = load_generator_file(path, CPU).facts
    assert facts.image_size == state.recipe.image_size


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a DCGAN that was trained on digits for a moment."""
    out = tmp_path_factory.mktemp("trained") / "results"
    arguments = ("--variants", "dcgan", "--dataset", "digits", "--device", "cpu", "--out", out)
    assert ganbench("run", *arguments, "--budget", "60steps") == 0
    (run,) = (out / "runs").glob("[!.]*")
    return run


def fidelity(*arguments, capsys):
    """The scores that torch-fidelity's own command prints."""
    from torch_fidelity.fidelity import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["fidelity", *map(str, arguments)])
        capsys.readouterr()
        main()
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def fidelity_extractor(digits_backbone):
    """ganbench's own features under a name in torch-fidelity, as no weights are downloaded."""
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

    class Features(FeatureExtractorBase):
        def __init__(self, name, features_list, **_kwargs):
            super().__init__(name, features_list)

        @staticmethod
        def get_provided_features_list():
            return ("vectors",)

        @staticmethod
        def get_default_feature_layer_for_metric(_metric):
            return "vectors"

        @staticmethod
        def can_be_compiled():
            return False

        def forward(self, images):
            return (digits_backbone.extract(images[:, :1]).vectors,)

    register_feature_extractor("digits-classifier", Features)
    yield "digits-classifier"
    del FEATURE_EXTRACTORS_REGISTRY["digits-classifier"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch-fidelity's own
def test_torch_fidelity_finds_the_same_fid_for_images_of_the_onnx_file(
    trained, tmp_path, digits, fidelity_extractor, capsys
):
    onnxruntime = pytest.importorskip("onnxruntime")
    file = tmp_path / "generator.onnx"
    assert ganbench("export", trained, "--format", "onnx", "--out", file) == 0

    # Draw with nothing of ganbench's: a session, latents, PNG files
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (latents,) = session.get_inputs()
    rng = np.random.default_rng(0)
    fakes, reals = tmp_path / "fakes", tmp_path / "reals"
    fakes.mkdir()
    reals.mkdir()
    z = rng.standard_normal((len(digits.train), latents.shape[1]), np.float32)
    (images,) = session.run(None, {latents.name: z})
    grey = np.clip(np.rint((images[:, 0] + 1) * 127.5), 0, 255).astype(np.uint8)
    side = digits.spec.native_size  # 8 of 16 pixels: every second one
    for place, image in enumerate(grey[:, ::2, ::2]):
        assert image.shape == (side, side)
        Image.fromarray(image).save(fakes / f"{place:05}.png")
    for place, image in enumerate(digits.train.images[:, 0].numpy()):
        Image.fromarray(image).save(reals / f"{place:05}.png")

    theirs = fidelity(
        "--fid", "--input1", fakes, "--input2", reals, "--feature-extractor", fidelity_extractor,
        "--cpu", "--json", "--silent", "--save-cpu-ram", "--no-datasets-download",
        "--cache-root", tmp_path / "cache",
        capsys=capsys,
    )["frechet_inception_distance"]  # fmt: skip
    assert ganbench("score", fakes, "--against", "digits", "--json") == 0
    ours = json.loads(capsys.readouterr().out)["scores"]["fid"]
    assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["onnx", "torchscript"])
def test_an_exported_generator_has_the_fid_of_its_run(trained, file_format, capsys, tmp_path):
    pytest.importorskip("onnxruntime")
    stored = json.loads((trained / "result.json").read_text(encoding="utf-8"))
    file = tmp_path / f"generator{ENDINGS[file_format]}"
    assert ganbench("export", trained, "--format", file_format, "--out", file) == 0
    capsys.readouterr()
    assert ganbench("score", file, "--against", "digits", "--json", "--device", "cpu") == 0
    values = json.loads(capsys.readouterr().out)
    assert values["protocol"]["hash"] == stored["protocol"]
    assert values["scores"]["fid"] == pytest.approx(stored["scores"]["fid"], rel=1e-4)
    assert values["scores"]["recall"] == pytest.approx(stored["scores"]["recall"], abs=0.01)
