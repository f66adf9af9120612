"""What a variant's file may import beside itself, and what its identity is made of."""

from __future__ import annotations

import os
import sys

import pytest

from ganbench.errors import UsageError
from ganbench.variant import source
from ganbench.variant.registry import resolve

PLUGIN = '''"""A plug-in with a neighbour."""
{line}
from ganbench import Recipe, Variant, losses, networks
VARIANT = Variant("t", "p", Recipe(latent_dim=SIZE), networks.dcgan_generator,
                  networks.dcgan_discriminator, losses.bce)
'''


def written(folder, line, size):
    folder.mkdir(exist_ok=True)
    (folder / "sizes.py").write_text(f"SIZE = {size}\n")
    (folder / "mine.py").write_text(PLUGIN.format(line=line))
    return str(folder / "mine.py")


@pytest.mark.parametrize("line", ["from sizes import SIZE", "from .sizes import SIZE"])
def test_a_file_imports_its_neighbour(tmp_path, line):
    (found,) = resolve([written(tmp_path, line, 7)])
    assert found.variant.recipe.latent_dim == 7
    assert "sizes" not in sys.modules


@pytest.mark.parametrize("line", ["from sizes import SIZE", "from .sizes import SIZE"])
def test_neighbours_of_the_same_name_in_two_folders_are_two(tmp_path, line):
    first = written(tmp_path / "a", line, 3)
    second = written(tmp_path / "b", line, 4)
    (one,), (other,) = resolve([first]), resolve([second])
    assert (one.variant.recipe.latent_dim, other.variant.recipe.latent_dim) == (3, 4)


def test_neighbours_import_each_other(tmp_path):
    path = written(tmp_path, "from layers import SIZE", 5)
    (tmp_path / "layers.py").write_text("from sizes import SIZE\n")
    assert resolve([path])[0].variant.recipe.latent_dim == 5
    assert [file.name for file in source.neighbours(tmp_path / "mine.py")] == [
        "layers.py",
        "sizes.py",
    ]


def test_a_neighbours_text_belongs_to_the_variants_identity_and_other_files_do_not(tmp_path):
    path = written(tmp_path, "from sizes import SIZE", 7)
    before = resolve([path])[0].source_hash
    (tmp_path / "unrelated.py").write_text("SIZE = 1\n")
    assert resolve([path])[0].source_hash == before
    (tmp_path / "sizes.py").write_text("SIZE = 9\n")
    changed = resolve([path])[0]
    assert changed.source_hash != before
    assert changed.variant.recipe.latent_dim == 9


def test_a_neighbour_that_changes_within_a_second_and_keeps_its_length_is_read_again(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path, beside = written(tmp_path, "from sizes import SIZE", 7), tmp_path / "sizes.py"
    second = 1_700_000_000 * 10**9
    for size, nanoseconds in ((3, 1), (4, 2), (5, 3)):
        beside.write_text(f"SIZE = {size}\n")
        os.utime(beside, ns=(second, second + nanoseconds))
        assert resolve([path])[0].variant.recipe.latent_dim == size
    assert list(tmp_path.rglob("*.pyc")) == []


def test_a_library_is_not_hidden_by_a_neighbour_of_its_name(tmp_path):
    path = written(tmp_path, "import statistics; SIZE = int(statistics.mean([2, 4]))", 1)
    (tmp_path / "statistics.py").write_text("1 / 0\n")
    assert resolve([path])[0].variant.recipe.latent_dim == 3


def test_a_neighbour_that_is_missing_is_named(tmp_path):
    path = written(tmp_path, "from size import SIZE", 1)
    with pytest.raises(UsageError, match="No module named 'size'"):
        resolve([path])


def test_a_missing_neighbour_is_no_missing_package_for_the_list(tmp_path):
    written(tmp_path, "from sizes import SIZE", 1)
    assert source.inspect(tmp_path / "mine.py", "VARIANT") == ("A plug-in with a neighbour.", "")
