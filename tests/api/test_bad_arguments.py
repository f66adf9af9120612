"""Arguments of the functions of `ganbench` that make no sense: one line each; nothing begins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from play_doubles import untrained_run

import ganbench
from ganbench.api.arguments import key_values, names, path, truth, whole
from ganbench.errors import UsageError


class Odd:
    """Nothing that any argument allows, and hostile where it is shown."""

    def __repr__(self):
        return "Odd\x1b[31m\n" + "x" * 300


IMAGES = np.zeros((30, 8, 8), np.uint8)
HUGE = 10**400
RUN = {"variants": "dcgan", "dataset": "digits", "budget": "20steps"}
TUNE = {**RUN, "trials": 2}
RUNS = {
    "variants": [5, b"dcgan", [5], {}, Odd(), float("nan"), "x" * 5000, "\ud800", "../x.py"],
    "dataset": [5, Odd(), "imagefolder:/none\x1b[31m", "nope\n"],
    "device": [7, [], Odd(), "cuda:" + "9" * 500],
    "seeds": [HUGE, -1, 2.5, float("nan"), [], [-1], Odd(), {"a": 1}],
    "budget": [5, [], float("nan"), "nan s", "1e400steps", "9" * 500 + "steps"],
    "settings": [5, b"x", [5], Odd(), {"lr_g": float("nan")}, {"batch_size": HUGE}],
    "data_root": [5, [], b"x", ""],
    "inception_weights": [5, {}, ""],
    "out": [5, [], b"x", "", Odd()],
    "jobs": [0, HUGE - HUGE, float("nan"), "x", []],
    "processes_per_run": [HUGE, -1, "x"],
    "ray": [5, [5]],
    "slurm": [5, Odd()],
    "track": [5, [5], {}],
    "suite": [5, "", [], Odd()],
    "fresh": ["no", 1, None],
    "quiet": ["no", None],
}
TUNINGS = {
    "variants": [5, None, [5]],
    "trials": [0, HUGE, "x", 2.5, True, None],
    "settings": [5],
    "space": [5, [5], Odd()],
    "search_seed": [-1, HUGE, "x", 1.5],
    "prune": ["no", 1],
    "out": [5, ""],
}
SCORES = {
    "images": [None, 5, "", Odd(), [], "nope\x1b[31m"],
    "reference": [None, 5, "", Odd(), [], "nope\x1b[31m"],
    "seed": [-1, HUGE, "x", 1.5, float("nan"), None, True],
    "device": [5, Odd()],
    "backbone": [5, [], Odd()],
    "inception_weights": [5, ""],
    "data_root": [5, ""],
    "layout": [5, []],
    "value_range": [5, {}],
    "key": [5, Odd()],
    "fit": [[]],
    "latent_dim": [-1, 0, HUGE, "x", 2.5],
    "latent": [[], 5],
}


def table(function, valid, wrong):
    return [
        pytest.param(function, {**valid, name: value}, id=f"{function.__name__}-{name}-{number}")
        for name, values in wrong.items()
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("function", "given"),
    [
        *table(ganbench.run, RUN, RUNS),
        *table(ganbench.tune, TUNE, TUNINGS),
        *table(ganbench.score, {"images": IMAGES, "reference": "digits"}, SCORES),
    ],
)
def test_a_bad_argument_is_refused_in_one_line_before_anything_begins(
    function, given, tmp_path, monkeypatch, cache_root
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_CACHE", str(cache_root))
    with pytest.raises(UsageError) as caught:
        function(**given)
    check_line(caught.value)
    assert list(tmp_path.iterdir()) == []


def check_line(error):
    assert 10 < len(str(error)) < 2000
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)


@pytest.mark.parametrize("given", [None, 5, "", b"x", [], ["x"], float("nan"), Odd(), "no/where"])
@pytest.mark.parametrize("function", [ganbench.load, ganbench.load_generator])
def test_what_is_no_folder_is_refused_in_one_line(function, given):
    with pytest.raises(UsageError) as caught:
        function(given)
    check_line(caught.value)


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return ganbench.load_generator(untrained_run(tmp_path_factory.mktemp("results")).path)


@pytest.mark.parametrize(
    "given",
    [
        {"count": 0},
        {"count": -1},
        {"count": HUGE},
        {"count": "x"},
        {"seed": -1},
        {"seed": HUGE},
        {"seed": None},
        {"prompt": 5},
        {"prompt": "three"},
        {"class_name": Odd()},
        {"truncation": "x"},
        {"truncation": float("nan")},
        {"truncation": -1},
    ],
)
def test_images_that_cannot_be_drawn_are_refused_in_one_line(generator, given):
    with pytest.raises(UsageError) as caught:
        generator.sample(**given)
    check_line(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        (4,),
        ("x",),
        (None,),
        ([[0.0]],),
        (torch.zeros(4, 3),),
        (torch.zeros(()),),
        (torch.zeros(4, 100, dtype=torch.int64),),
    ],
)
def test_latents_and_classes_that_cannot_be_drawn_from_are_refused_in_one_line(generator, given):
    with pytest.raises(UsageError) as caught:
        generator(*given)
    check_line(caught.value)
    assert len(generator(generator.latents(4))) == 4


@pytest.mark.parametrize(
    "classes", [3, torch.zeros(4), torch.zeros(3, dtype=torch.int64), torch.tensor([0, 1, 2, 10])]
)
def test_classes_that_there_are_not_are_refused_in_one_line(generator, tmp_path, classes):
    by_class = ganbench.load_generator(untrained_run(tmp_path, "cgan").path)
    latents = by_class.latents(4)
    with pytest.raises(UsageError, match="values from 0 to 9") as caught:
        by_class(latents, classes)
    check_line(caught.value)
    assert len(by_class(latents, torch.tensor([0, 9, 3, 3]))) == 4
    with pytest.raises(UsageError, match="does not draw by class"):
        generator(generator.latents(4), torch.zeros(4, dtype=torch.int64))


def test_what_is_allowed_comes_through(tmp_path):
    assert names("x", "a,b") == "a,b"
    assert names("x", ["a", tmp_path]) == ("a", str(tmp_path))
    assert key_values("x", {"a": 1}) == ("a=1",)
    assert key_values("x", "a=1") == ("a=1",)
    assert path("x", str(tmp_path)) == tmp_path
    assert whole("x", np.int64(3), 0, 3) == 3
    assert truth("x", False) is False


def test_a_seed_of_more_bits_than_numpy_takes_scores_too(cache_root, monkeypatch):
    monkeypatch.setenv("GANBENCH_CACHE", str(cache_root))
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    scored = ganbench.score(images, "digits", seed=2**63 - 1)
    assert np.isfinite(scored.scores["kid"])
