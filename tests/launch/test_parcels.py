"""Files that travel as bytes."""

from __future__ import annotations

import io
import os
import tarfile

import pytest

from ganbench.errors import GanbenchError
from ganbench.launch.parcels import files_below, pack, stamps, unpack


def test_files_arrive_as_they_were_under_the_names_that_they_were_given(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    (tmp_path / "b.txt").write_text("ä", encoding="utf-8")
    parcel = pack({"x/y/a.bin": tmp_path / "a.bin", "b.txt": tmp_path / "b.txt"})
    assert unpack(parcel, tmp_path / "there") == ["x/y/a.bin", "b.txt"]
    assert (tmp_path / "there/x/y/a.bin").read_bytes() == bytes(range(256))
    assert (tmp_path / "there/b.txt").read_text(encoding="utf-8") == "ä"


def test_a_file_that_has_vanished_is_left_out(tmp_path):
    (tmp_path / "a").write_text("a")
    parcel = pack({"gone": tmp_path / "gone", "a": tmp_path / "a"})
    assert unpack(parcel, tmp_path / "there") == ["a"]


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "c:/out", "a\\..\\out", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(name, tmp_path):
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as parcel:
        parcel.addfile(tarfile.TarInfo(name), io.BytesIO())
    with pytest.raises(GanbenchError, match="no file of its own"):
        unpack(written.getvalue(), tmp_path / "a/b")
    assert not (tmp_path / "out").exists()


def test_a_link_is_refused(tmp_path):
    entry = tarfile.TarInfo("link")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as parcel:
        parcel.addfile(entry)
    with pytest.raises(GanbenchError, match="no file of its own"):
        unpack(written.getvalue(), tmp_path)


def test_half_written_files_and_links_are_no_files_of_a_folder(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below/whole").write_text("1")
    (tmp_path / ".part-1234-5-6").write_text("2")
    (tmp_path / "link").symlink_to(tmp_path / "below/whole")
    assert files_below(tmp_path) == [tmp_path / "below/whole"]


def test_a_stamp_changes_when_a_file_is_written_again(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("1")
    before = stamps(tmp_path)
    os.utime(tmp_path / "a", ns=(0, 12345))
    after = stamps(tmp_path)
    assert after["b"] == before["b"]
    assert after["a"] == (12345, 1)
