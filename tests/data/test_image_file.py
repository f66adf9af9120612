"""Single image files: pixels keep their meaning, or the file is refused."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ganbench import data
from ganbench.data.image_file import decode_image, read_header
from ganbench.errors import DataError
from ganbench.experiment import plan
from ganbench.experiment.suite import Suite

RAMP = np.arange(100, dtype=np.uint16).reshape(10, 10)


def decode(path, channels=1):
    return decode_image(path, 10, channels)[0]


def test_the_depth_of_a_tiff_is_read_from_the_file(tmp_path):
    Image.fromarray(RAMP * 600).save(tmp_path / "a.tif")
    pixels, share = decode_image(tmp_path / "a.tif", 10, 1)
    assert pixels[..., 0].tolist() == [
        [value * 600 // 256 for value in row] for row in RAMP.tolist()
    ]
    assert share == pytest.approx(99 * 600 / 65535)


def test_the_largest_value_of_a_deep_pgm_is_white(tmp_path):
    values = (RAMP * 41).astype(">u2")  # 4,059 of 4,095
    (tmp_path / "a.pgm").write_bytes(b"P5 10 10 4095\n" + values.tobytes())
    expected = values.astype(float) / 4095 * 255
    assert np.abs(decode(tmp_path / "a.pgm")[..., 0] - expected).max() <= 1


def test_a_tiff_whose_lowest_value_is_white_is_inverted(tmp_path):
    Image.fromarray(RAMP * 600).save(tmp_path / "a.tif", tiffinfo={262: 0})
    assert decode(tmp_path / "a.tif")[0, 0, 0] == 255
    assert decode(tmp_path / "a.tif")[9, 9, 0] == 255 - 99 * 600 // 256


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_values_whose_range_nobody_knows_are_refused(tmp_path, kind):
    Image.fromarray(RAMP.astype(kind)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif .* values of 32 bits .* save them as 8 or 16"):
        read_header(tmp_path / "a.tif")


def test_eight_bits_in_sixteen_are_refused(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"its 16 bits hold no value above 99"):
        decode(tmp_path / "a.png")


def test_a_folder_of_twelve_bits_in_sixteen_is_refused(tmp_path):
    root = tmp_path / "x"
    (root / "one").mkdir(parents=True)
    for number in range(4):
        Image.fromarray(RAMP * 41).save(root / "one" / f"{number}.png")
    with pytest.raises(DataError, match=r"none uses more than the lowest 6\.2%"):
        data.load(f"imagefolder:{root}", data_root=root, cache_root=tmp_path, image_size=32)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_laid_over_white(tmp_path, mode):
    image = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 5, 10))
    image.convert(mode).save(tmp_path / "a.png")
    assert read_header(tmp_path / "a.png").is_transparent
    pixels = decode(tmp_path / "a.png", 3)
    assert (pixels[:, :5] == 0).all()
    assert (pixels[:, 5:] == 255).all()


def test_cmyk_is_converted_without_its_profile(tmp_path):
    Image.new("CMYK", (10, 10), (255, 0, 0, 0)).save(tmp_path / "a.tif")
    assert read_header(tmp_path / "a.tif").is_cmyk
    assert decode(tmp_path / "a.tif", 3)[4, 4].tolist() == [0, 255, 255]


def test_colours_of_another_kind_are_refused(tmp_path):
    Image.new("LAB", (10, 10)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match="colours of the kind LAB are not known"):
        read_header(tmp_path / "a.tif")


def chunk(kind: bytes, content: bytes) -> bytes:
    tail = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + tail


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_an_image_bomb_is_refused_by_its_size_before_it_is_decoded(tmp_path, side):
    (tmp_path / "one").mkdir()
    for number in range(3):
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"")
        (tmp_path / "one" / f"{number}.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"Image size \({side**2} pixels\) exceeds limit"):
        data.describe(f"imagefolder:{tmp_path}", tmp_path)


def test_one_colour_image_among_many_grey_ones_makes_all_coloured(tmp_path):
    (tmp_path / "one").mkdir()
    for number in range(40):
        mode = "RGB" if number == 37 else "L"
        Image.new(mode, (10, 10)).save(tmp_path / "one" / f"{number:02}.png")
    name = f"imagefolder:{tmp_path}"
    assert data.describe(name, tmp_path).channels == 3
    assert data.notes(name, tmp_path) == (
        f"{name}: 39 of 40 images grey among coloured ones: taken as RGB",
    )


def test_images_smaller_than_the_others_are_enlarged_and_counted(tmp_path):
    (tmp_path / "one").mkdir()
    for number in range(20):
        side = 4 if number == 3 else 20
        Image.new("L", (side, side)).save(tmp_path / "one" / f"{number}.png")
    name = f"imagefolder:{tmp_path}"
    assert data.describe(name, tmp_path).native_size == 20
    assert data.notes(name, tmp_path) == (
        f"{name}: 1 of 20 images smaller than 20 pixels (down to 4): enlarged",
    )


def planned(root, tmp_path, count):
    (root / "one").mkdir(parents=True)
    for number in range(count):
        Image.new("L", (10, 10)).save(root / "one" / f"{number}.png")
    (root / "one" / "notes.txt").touch()
    suite = Suite.model_validate({"variants": "mlp", "dataset": f"imagefolder:{root}"})
    return plan.make(suite, device="cpu", data_root=tmp_path)


def test_a_plan_says_what_is_left_out_of_the_folder(tmp_path):
    made = planned(tmp_path / "x", tmp_path, 20)
    note = (
        f"imagefolder:{tmp_path}/x: left out: 1 file without the ending of an image (one/notes.txt)"
    )
    assert made.jobs[0].data_notes == (note,)
    assert note in made.notes


def test_too_few_images_for_the_scores_are_refused_in_the_plan(tmp_path):
    with pytest.raises(DataError, match="7 training and 1 held-out images: the scores need"):
        planned(tmp_path / "x", tmp_path, 8)
