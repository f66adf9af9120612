"""Checksums at the end of files: whatever changes, is cut or is added is seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.machine import checksums
from ganbench.machine.checksums import damage, is_sealed, seal, sealed_text, text_of


@pytest.fixture
def sealed(tmp_path, monkeypatch):
    monkeypatch.setattr(checksums, "_BLOCK_BYTES", 16)
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    seal(path)
    return path


def test_a_sealed_file_is_sound_and_one_without_a_seal_is_not(sealed, tmp_path):
    assert is_sealed(sealed)
    assert damage(sealed) == ""
    (tmp_path / "other").write_bytes(bytes(200))
    assert not is_sealed(tmp_path / "other")
    assert "no checksum" in damage(tmp_path / "other")


def test_a_bit_that_flips_anywhere_is_seen(sealed):
    whole = sealed.read_bytes()
    for place in range(0, 8 * len(whole), 7):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        sealed.write_bytes(flipped)
        assert damage(sealed), place


def test_every_cut_and_anything_added_is_seen(sealed):
    whole = sealed.read_bytes()
    for length in range(len(whole)):
        sealed.write_bytes(whole[:length])
        assert damage(sealed), length
    sealed.write_bytes(whole + b"x")
    assert damage(sealed)


def test_of_a_large_file_the_first_and_the_last_part_are_checked(sealed):
    whole = sealed.read_bytes()
    seen = []
    for place in range(0, 100, 16):
        sealed.write_bytes(whole[:place] + b"?" + whole[place + 1 :])
        seen.append(bool(damage(sealed, most_blocks=3)))
    assert seen == [True, False, False, True, False, False, True]


def test_libraries_read_sealed_files(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(10))
    np.savez_compressed(tmp_path / "a.npz", values=np.arange(10))
    torch.save({"values": torch.arange(10)}, tmp_path / "a.pt")
    for name in ("a.npy", "a.npz", "a.pt"):
        seal(tmp_path / name)
    assert np.load(tmp_path / "a.npy", mmap_mode="c").sum() == 45
    assert np.load(tmp_path / "a.npz")["values"].sum() == 45
    assert torch.load(tmp_path / "a.pt", weights_only=True)["values"].sum() == 45


def test_a_text_comes_back_and_a_changed_one_does_not():
    assert text_of(sealed_text("täglich\n7")) == "täglich\n7"
    for wrong in ("", "7", sealed_text("7").replace("7", "8", 1)):
        with pytest.raises(ValueError, match="checksum"):
            text_of(wrong)
