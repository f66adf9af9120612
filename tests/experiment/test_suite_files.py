"""Suite files as people write them: odd, wrong and hostile ones are refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.errors import UsageError
from ganbench.experiment.suite import read_suite


def refusal(tmp_path, text, flags=None):
    (tmp_path / "suite.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_suite(tmp_path / "suite.yaml", flags or {})
    message = str(caught.value)
    assert "\n" not in message
    assert "suite.yaml" in message
    assert len(message) < 500
    return message


def test_a_key_that_is_there_twice_is_refused_by_its_name(tmp_path):
    assert "'seeds' is there twice" in refusal(tmp_path, "seeds: 1\nvariants: mlp\nseeds: 2\n")
    assert "'lr_g' is there twice" in refusal(tmp_path, "set: {lr_g: 1, lr_d: 2, lr_g: 3}\n")


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{" * 5000, "budget: 2020-13-45", "? [a, b]\n: 1", "1: 2", "jobs: .nan"]
)
def test_what_is_no_suite_is_refused_in_one_line(tmp_path, text):
    refusal(tmp_path, text)


def test_a_short_file_that_stands_for_a_long_one_is_refused(tmp_path):
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        levels.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    assert "aliases" in refusal(tmp_path, "\n".join(levels))


def test_settings_that_are_none_are_refused_also_beside_flags(tmp_path):
    message = refusal(tmp_path, "variants: mlp\nset: 5\n", {"budget": "1steps"})
    assert "set: 5 is not allowed" in message
    (tmp_path / "suite.yaml").write_text("set: 5\n")
    with pytest.raises(UsageError, match="set: 5 is not allowed"):
        read_suite(tmp_path / "suite.yaml", {"set": ("lr_g=1",)})


def test_a_tilde_in_paths_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "suite.yaml").write_text("data_root: ~/data\nout: ~nobody-of-this-name/x\n")
    suite = read_suite(tmp_path / "suite.yaml", {"inception_weights": Path("~/weights.pth")})
    assert suite.data_root == tmp_path / "data"
    assert suite.inception_weights == tmp_path / "weights.pth"
    assert suite.out == Path("~nobody-of-this-name/x")


def test_what_is_far_too_long_for_a_suite_is_not_read_to_its_end(tmp_path):
    assert "more than 1,000,000 characters" in refusal(tmp_path, "#" * 1_000_001)
