"""Bad input over all commands: exit code 2, one line with the value given, and nothing is left."""

from __future__ import annotations

import pytest
from command_line import ganbench, one_line

RUN = ("run", "--variants", "mlp", "--dataset", "digits", "--device", "cpu", "--dry-run")
THROUGHPUT = ("throughput", "--variants", "mlp", "--dataset", "digits", "--device", "cpu")
SELFTEST = ("selftest", "--device", "cpu")
SCORE = ("score", "fakes", "--against", "digits", "--device", "cpu")
COMMANDS = (
    "run", "report", "compare", "list", "sample", "new", "check", "throughput", "selftest",
    "score", "export", "play",
)  # fmt: skip
OPTIONS = {
    "run": (
        "variants",
        "dataset",
        "device",
        "seeds",
        "budget",
        "set",
        "out",
        "data-root",
        "from",
        "track",
        "margin",
        "primary",
        "inception-weights",
    ),
    "throughput": ("variants", "dataset", "device", "batch-sizes", "set", "out", "precision"),
    "selftest": ("dataset", "device", "backbone", "out", "data-root"),
    "report": ("out", "primary"),
    "sample": ("prompt", "class", "device", "out"),
    "compare": ("metric", "primary"),
    "new": ("like",),
    "score": (
        "against", "device", "backbone", "data-root", "inception-weights", "layout", "range",
        "key", "fit", "latent-dim", "latent", "seed",
    ),
    "export": ("format", "out", "variants"),
    "play": ("port", "device", "variants", "data-root"),
}  # fmt: skip

# What is found before torch or data are loaded: the arguments, and what the message must hold.
QUICK = [
    *((name, "--no-such-flag") for name in COMMANDS),
    *((name, f"--{option}", "") for name, options in OPTIONS.items() for option in options),
    *((name, f"--{option}=") for name, options in OPTIONS.items() for option in options),
    ("no-such-command",),
    ("report", ""),
    ("check", ""),
    ("new", ""),
    ("sample", ""),
    ("list", ""),
    ("list", "variant"),
    ("list", "metrics", "fid"),
    ("run", "--jobs", "0"),
    ("run", "--jobs", "-3"),
    ("run", "--jobs", "two"),
    ("run", "--jobs", "1.5"),
    ("run", "--variants", ","),
    ("run", "--precision", "fp8"),
    ("run", "--backbone", "resnet"),
    ("run", "no-such-suite.yaml"),
    ("run", "--track", ","),
    ("run", "--track", "no-such-tracker"),
    ("throughput", "--seconds", "0"),
    ("throughput", "--seconds", "-1"),
    ("throughput", "--seconds", "nan"),
    ("throughput", "--seconds", "inf"),
    ("throughput", "--seconds", "long"),
    ("throughput", "--variants", ","),
    ("throughput", "--precision", "fp64"),
    ("sample", "nowhere", "-n", "0"),
    ("sample", "nowhere", "-n", "4097"),
    ("sample", "nowhere", "-n", "many"),
    ("sample", "nowhere", "--seed", "-1"),
    ("sample", "nowhere", "--seed", str(10**20)),
    ("selftest", "--dataset", "digits", "--draws", "0"),
    ("selftest", "--dataset", "digits", "--draws", "21"),
    ("selftest", "--dataset", "digits", "--images", "some"),
    ("new", "3d"),
    ("new", "my gan"),
    ("new", "_hidden"),
    ("score", ""),
    ("export", ""),
    ("play", ""),
    ("export", "nowhere", "--format", "tflite"),
    *(("play", "nowhere", "--port", bad) for bad in ("-1", "65536", "http", "1.5", str(10**20))),
    *((*SCORE, "--seed", bad) for bad in ("-1", "x", str(10**20))),
    *((*SCORE, "--latent-dim", bad) for bad in ("0", "-1", "many", "1.5")),
    (*SCORE, "--latent", "cauchy"),
    (*SCORE, "--layout", "CHW"),
    (*SCORE, "--range", "0..2"),
    (*SCORE, "--fit", "stretch"),
    (*SCORE, "--backbone", "resnet"),
]

BAD_NUMBERS = {
    "batch_size": ("0", "1", "-64", "1.5", "many", "nan", str(10**8), str(10**20)),
    "image_size": ("0", "7", "-8", "big", str(10**6)),
    "latent_dim": ("0", "-1", "1e3.5", str(10**20), str(10**12)),
    "generator_width": ("0", "-4", "wide", str(10**8), str(10**20)),
    "discriminator_width": ("0", "-4", "wide", str(10**8)),
    "generator_batch": ("0", "-1", str(10**9)),
    "packing": ("0", "-1", "3"),
    "d_steps": ("0", "-1", "x"),
    "g_steps": ("0", "-1", "x"),
    "optimizer": ("lion", "Adam"),
    "latent": ("cauchy", "0"),
    "augment": ("mixup", "color,mixup"),
    "lr_g": ("0", "-1", "inf", "nan", "fast"),
    "lr_d": ("0", "-1", "inf", "nan", "fast"),
    "beta1": ("1", "-0.1", "x"),
    "beta2": ("1", "2", "x"),
    "eps": ("0", "-1", "x"),
    "weight_decay": ("-1", "x"),
    "weight_clip": ("-1", "x"),
    "real_label": ("1.1", "-0.1"),
    "fake_label": ("1.1", "-0.1"),
    "ema_decay": ("1", "-1", "x"),
    "ema_start": ("-1", "0.5"),
    "no_such_key": ("1",),
}
SLOW = [
    *((*RUN, "--set", f"{key}={bad}") for key, values in BAD_NUMBERS.items() for bad in values),
    *(
        (*RUN, "--seeds", bad)
        for bad in ("0", "-1", "x", "1,1", "1.5", str(10**9), str(10**20), f"{10**20},", "9" * 5000)
    ),
    *(
        (*RUN, flag, bad)
        for flag in ("--budget", "--sample-every", "--evaluate-every")
        for bad in ("0steps", "5", "epochs", "-1epochs", "3weeks", "nans")
    ),
    *((*RUN, "--device", bad) for bad in ("gpu", "cuda:x", "tpu")),
    *((*RUN, "--set", bad) for bad in ("lr_g", "=3")),
    *((*RUN, "--dataset", bad) for bad in ("digit", "imagenet", "imagefolder:nowhere")),
    *((*RUN, "--variants", bad) for bad in ("dcgann", "nowhere.py", "vae")),
    *((*THROUGHPUT, "--batch-sizes", bad) for bad in ("1", "x", "8,8", "0", "-2", str(10**9))),
    (*THROUGHPUT, "--dataset", "digit"),
    (*SELFTEST, "--dataset", "ring8"),
    (*SELFTEST, "--dataset", "digit"),
    (*SELFTEST, "--dataset", "digits", "--backbone", "resnet"),
    (*SELFTEST, "--dataset", "digits", "--images", "1000000"),
    (*SELFTEST, "--dataset", "imagefolder:nowhere"),
    ("sample", "nowhere"),
    *(
        (*RUN, "--seeds", bad)
        for bad in ("auto:1-3", "auto:5-3", "auto:3-51", "auto:", "automatic", f"auto:2-{10**9}")
    ),
    *(
        (*RUN, "--seeds", "auto", "--margin", bad)
        for bad in ("x", "-1", "100%", "1", "nan", "inf", "%")
    ),
    (*RUN, "--primary", "fidd"),
    (*RUN, "--margin", "10%"),  # with seeds that are given
    *((*RUN, "--variants", f"frozen:{bad}") for bad in ("nowhere", "nowhere.npz", "/dev/zero")),
    ("score", "--against", "digits", "--device", "cpu", "nowhere"),
    ("score", "--against", "digits", "--device", "cpu", "nowhere.onnx"),
    ("score", "--against", "digits", "--device", "cpu", "/dev/zero"),
    ("score", "--against", "digits", "nowhere", "--device", "gpu"),
    *(("export", "--format", kind, "nowhere") for kind in ("onnx", "torchscript", "safetensors")),
    ("play", "nowhere"),
    ("report", "nowhere"),
    ("compare", "nowhere", "nowhere-else"),
    ("check", "dcgann"),
    ("list", "recipe", "dcgann"),
    ("new", "mine", "--like", "dcgann"),
]
SAID = {
    "--set": lambda given: given.rpartition("=")[2] or given,
    "--dataset": lambda given: given.removeprefix("imagefolder:"),
    "--variants": lambda given: given.removeprefix("frozen:"),
}


def refused(arguments, capsys):
    assert ganbench(*arguments) == 2
    line = one_line(capsys)
    flag, given = arguments[-2:] if len(arguments) > 1 else ("", arguments[-1])
    if given.startswith("--"):
        given = given.removesuffix("=")
    if arguments[0] == "compare" and len(arguments) == 3:
        given = arguments[1]
    assert SAID.get(flag, str)(given) in line


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield
    assert list(tmp_path.iterdir()) == []


def test_the_table_holds_at_least_150_inputs_each_once():
    assert len({*QUICK, *SLOW}) == len(QUICK) + len(SLOW) >= 150


@pytest.mark.parametrize("arguments", QUICK, ids=" ".join)
def test_bad_input_is_refused_before_anything_heavy_is_loaded(arguments, capsys):
    refused(arguments, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", SLOW, ids=lambda arguments: " ".join(arguments)[:120])
def test_bad_input_is_refused_before_training(arguments, capsys):
    refused(arguments, capsys)
