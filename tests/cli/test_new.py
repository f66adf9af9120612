"""`ganbench new`, and what `ganbench list recipe` says of what it wrote."""

from __future__ import annotations

import pytest
from command_line import ganbench, one_line

from ganbench.check import check
from ganbench.check.trial import SPECS
from ganbench.variant.registry import resolve


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_a_new_file_keeps_the_contract(here, capsys):
    assert ganbench("new", "my-gan") == 0
    assert "ganbench check ./my_gan.py" in capsys.readouterr().out
    lines = check(resolve(["./my_gan.py"])[0], SPECS[:1])
    assert [line for line in lines if not line.ok] == []


def test_a_file_like_another_is_its_copy(here):
    assert ganbench("new", "mine", "--like", "texthash") == 0
    copy, original = resolve(["./mine.py"])[0], resolve(["texthash"])[0]
    assert copy.variant.title == original.variant.title
    assert copy.source_hash == original.source_hash


def test_a_file_that_is_there_is_kept(here, capsys):
    (here / "mine.py").write_text("keep me")
    assert ganbench("new", "mine") == 2
    assert "mine.py is there already" in one_line(capsys)
    assert (here / "mine.py").read_text() == "keep me"


@pytest.mark.parametrize("name", ["7up", "a b", "-"])
def test_a_name_that_is_none_is_refused(here, capsys, name):
    assert ganbench("new", "--", name) == 2
    assert one_line(capsys)
    assert list(here.iterdir()) == []


def test_the_recipe_of_a_variant_is_listed_with_its_own_numbers_first(here, capsys):
    assert ganbench("list", "recipe", "texthash") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    names = [row[0] for row in rows if row]
    assert names.index("text_dim") < names.index("batch_size")
    (row,) = [" ".join(row) for row in rows if row and row[0] == "beta1"]
    assert "0.5 number or schedule, ≥ 0, < 1" in row


@pytest.mark.parametrize("words", [("recipe",), ("variants", "dcgan"), ("recipe", "dcgam")])
def test_a_list_that_does_not_exist_is_refused(here, capsys, words):
    assert ganbench("list", *words) == 2
    assert one_line(capsys)
