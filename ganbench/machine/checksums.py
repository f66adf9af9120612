"""Checksums at the end of files, by which damage since they were written is seen.

Behind its content, a sealed file has a CRC-32 of each MiB and a short end. What reads arrays, zip
files or torch's files passes over both. A CRC-32 sees every burst of up to 32 changed bits and all
but one in four billion of other accidents: failing disks, cut or mixed files. It is no protection
against somebody who changes a file on purpose.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["damage", "is_sealed", "seal", "sealed_text", "text_of"]

_BLOCK_BYTES = 1 << 20
_END = struct.Struct("<QI8s")  # bytes of content, CRC-32 of the checksums and of that, a mark
_MARK = b"ganbsum1"
_LINE = "\n#crc32 "


def seal(path: Path) -> None:
    """Put checksums behind the content of a file.

    Raises:
        OSError: The file cannot be read or written.
    """
    with path.open("r+b") as file:
        sums, size = [], 0
        while block := file.read(_BLOCK_BYTES):
            sums.append(zlib.crc32(block))
            size += len(block)
        packed = struct.pack(f"<{len(sums)}I", *sums)
        file.seek(size)
        file.write(packed + _END.pack(size, _own_sum(packed, size), _MARK))


def is_sealed(path: Path) -> bool:
    """Whether a file ends as `seal` leaves it.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return _sums(file) is not None


def damage(path: Path, most_blocks: int | None = None) -> str:
    """Say what is wrong with a sealed file; empty where nothing is.

    Args:
        path: The file.
        most_blocks: Check no more than so many MiB, evenly chosen, the first and the last among
            them; all of them if left out. The length is always checked.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        found = _sums(file)
        if found is None:
            return "it has no checksum, or has lost its end"
        size, sums = found
        for number in _chosen(len(sums), most_blocks):
            file.seek(number * _BLOCK_BYTES)
            block = file.read(min(_BLOCK_BYTES, size - number * _BLOCK_BYTES))
            if zlib.crc32(block) != sums[number]:
                return "its checksum does not fit"
    return ""


def sealed_text(text: str) -> str:
    """A text with a last line that holds its checksum."""
    return f"{text}{_LINE}{zlib.crc32(text.encode()):08x}\n"


def text_of(sealed: str) -> str:
    """The text inside one from `sealed_text`.

    Raises:
        ValueError: The text is damaged, or has no checksum.
    """
    text, _, stored = sealed.rpartition(_LINE)
    if stored.strip() != f"{zlib.crc32(text.encode()):08x}":
        raise ValueError("its checksum does not fit")
    return text


def _chosen(count: int, most: int | None) -> Sequence[int]:
    if most is None or count <= most:
        return range(count)
    return sorted({round(place * (count - 1) / max(1, most - 1)) for place in range(most)})


def _sums(file: BinaryIO) -> tuple[int, tuple[int, ...]] | None:
    """Bytes of content, and the checksums behind them; None where the end is not that of `seal`."""
    length = file.seek(0, 2)
    if length < _END.size:
        return None
    file.seek(length - _END.size)
    size, own, mark = _END.unpack(file.read(_END.size))
    count = -(-size // _BLOCK_BYTES)
    if mark != _MARK or size + 4 * count + _END.size != length:
        return None
    file.seek(size)
    packed = file.read(4 * count)
    if own != _own_sum(packed, size):
        return None
    return size, struct.unpack(f"<{count}I", packed)


def _own_sum(packed: bytes, size: int) -> int:
    return zlib.crc32(packed + struct.pack("<Q", size))
