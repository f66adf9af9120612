"""Image folders: how they are laid out, decoded, cached and refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from file_stamps import file_stamps
from PIL import Image

from ganbench import data
from ganbench.data.dataset import ignore_progress
from ganbench.data.decode import load_imagefolder
from ganbench.data.imagefolder import scan
from ganbench.errors import DataError, UsageError


def paint(path: Path, *, size=(12, 10), mode="RGB", seed=0) -> np.ndarray:
    """Write a random image and return its pixels."""
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


def fill(root: Path, classes=("bird", "cat"), count=12, **options) -> Path:
    """Make class folders with PNGs of their own."""
    for label, name in enumerate(classes):
        for index in range(count):
            paint(root / name / f"{index}.png", seed=100 * label + index, **options)
    return root


def load(root, cache, *, image_size=32, report=None):
    name = f"imagefolder:{root}"
    return data.load(
        name, data_root=cache, cache_root=cache / "cache", image_size=image_size, report=report
    )


def describe(root, data_root=Path("nowhere")):
    return data.describe(f"imagefolder:{root}", data_root)


# --- layout


def test_class_folders_are_classes_in_alphabetical_order(tmp_path):
    spec = describe(fill(tmp_path / "x", ("zebra", "ant", "cow"), count=20))
    assert spec.name == f"imagefolder:{tmp_path / 'x'}"
    assert spec.class_names == ("ant", "cow", "zebra")
    assert (spec.train_count, spec.test_count) == (54, 6)
    assert (spec.channels, spec.native_size) == (3, 10)
    assert spec.captions[0] == "a photo of a ant"


def test_train_and_test_folders_are_the_splits(tmp_path):
    fill(tmp_path / "train", count=3)
    fill(tmp_path / "test", count=2)
    loaded = load(tmp_path, tmp_path)
    assert loaded.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert loaded.test.labels.tolist() == [0, 0, 1, 1]
    assert (loaded.spec.train_count, loaded.spec.test_count) == (6, 4)


def test_the_held_out_tenth_is_the_same_wherever_the_folder_lies(tmp_path):
    first = load(fill(tmp_path / "one", count=30), tmp_path)
    second = load(fill(tmp_path / "elsewhere", count=30), tmp_path)
    assert len(first.test) == 6
    assert first.test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert first.fingerprint == second.fingerprint


def test_no_image_is_in_both_splits(tmp_path):
    loaded = load(fill(tmp_path / "x"), tmp_path)
    images = [
        image.numpy().tobytes()
        for split in (loaded.train, loaded.test)
        for image in split.images.contiguous()
    ]
    assert len(images) == len(set(images)) == 24


def test_one_class_is_allowed(tmp_path):
    assert describe(fill(tmp_path / "x", ("face",))).class_names == ("face",)


def test_a_relative_folder_may_lie_in_the_data_root(tmp_path):
    fill(tmp_path / "photos")
    spec = data.describe("imagefolder:photos", tmp_path)
    assert (spec.name, len(spec.class_names)) == ("imagefolder:photos", 2)


def notes_of(root):
    return [note.removeprefix(f"imagefolder:{root}: ") for note in scan_notes(root)]


def scan_notes(root):
    return data.notes(f"imagefolder:{root}", Path("nowhere"))


def test_what_is_left_out_is_counted_and_named_with_the_reason(tmp_path):
    root = fill(tmp_path / "x", size=(10, 10))
    for number in range(5):
        (root / "bird" / f"notes{number}.txt").touch()
    (root / "cat" / ".DS_Store").touch()
    (root / ".git").mkdir()
    (root / "__MACOSX").mkdir()
    os.mkfifo(root / "cat" / "queue.png")
    assert "".join(notes_of(root)) == (
        "left out: 2 hidden folders (.git, __MACOSX); 5 files without the ending of an image "
        "(bird/notes0.txt, bird/notes1.txt, bird/notes2.txt, ...); 1 hidden file (cat/.DS_Store); "
        "1 pipe, socket or device (cat/queue.png)"
    )
    assert describe(root).train_count + describe(root).test_count == 24


def test_a_folder_of_square_images_alike_has_nothing_to_say(tmp_path):
    assert notes_of(fill(tmp_path / "x", size=(10, 10))) == []


@pytest.mark.parametrize(
    ("train", "test"), [("train", "val"), ("training", "Testing"), ("Train", "validation")]
)
def test_splits_under_other_names_are_recognised_and_said(tmp_path, train, test):
    fill(tmp_path / train, count=7, size=(10, 10))
    fill(tmp_path / test, count=2, size=(10, 10))
    spec = describe(tmp_path)
    assert (spec.class_names, spec.train_count, spec.test_count) == (("bird", "cat"), 14, 4)
    assert notes_of(tmp_path) == [f"{train} is the training split and {test} the held-out one"]


def test_a_third_split_is_left_out_and_said(tmp_path):
    for split, count in (("train", 7), ("test", 2), ("val", 3)):
        fill(tmp_path / split, count=count, size=(10, 10))
    assert (describe(tmp_path).train_count, describe(tmp_path).test_count) == (14, 4)
    assert notes_of(tmp_path) == ["left out: 1 file or folder beside the splits (val)"]


def test_a_flat_folder_of_images_is_one_class(tmp_path):
    root = tmp_path / "faces"
    for number in range(20):
        paint(root / f"{number}.png", size=(10, 10), seed=number)
    spec = describe(root)
    assert (spec.class_names, spec.train_count, spec.test_count) == (("faces",), 18, 2)
    assert notes_of(root) == ["no class folders: all images are one class, faces"]


# --- decoding


def test_images_are_cropped_to_the_middle_and_kept_exactly_where_the_size_fits(tmp_path):
    for name in ("a", "b"):
        pixels = paint(tmp_path / "x" / "train" / "one" / f"{name}.png", size=(12, 10))
        paint(tmp_path / "x" / "test" / "one" / f"{name}.png", size=(12, 10))
    loaded = load(tmp_path / "x", tmp_path)
    assert loaded.train.images.shape == (2, 3, 10, 10)
    assert loaded.train.images.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(loaded.train.images[0].permute(1, 2, 0).numpy(), pixels[:, 1:11])


@pytest.mark.parametrize(("image_size", "decoded"), [(32, 64), (64, 64), (96, 96), (256, 100)])
def test_large_images_are_decoded_at_what_is_wanted_and_64_at_least(tmp_path, image_size, decoded):
    root = fill(tmp_path / "x", count=2, size=(100, 120))
    loaded = load(root, tmp_path, image_size=image_size)
    assert loaded.train.images.shape[2:] == (decoded, decoded)
    assert loaded.spec.native_size == 64


def test_grey_images_have_one_channel(tmp_path):
    loaded = load(fill(tmp_path / "x", count=3, mode="L"), tmp_path)
    assert loaded.train.images.shape == (4, 1, 10, 10)


def test_grey_images_among_coloured_ones_become_coloured(tmp_path):
    root = fill(tmp_path / "x", count=3)
    pixels = paint(root / "bird" / "0.png", mode="L", size=(10, 10), seed=5)
    loaded = load(root, tmp_path)
    rows = torch.cat([loaded.train.images, loaded.test.images])
    repeated = torch.from_numpy(pixels).expand(3, 10, 10)
    assert (rows == repeated).all(dim=(1, 2, 3)).sum() == 1


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path):
    for folder in ("train", "test"):
        (tmp_path / "x" / folder / "one").mkdir(parents=True)
        pixels = (np.arange(100, dtype=np.uint16) * 600).reshape(10, 10)
        Image.fromarray(pixels).save(tmp_path / "x" / folder / "one" / "0.png")
    loaded = load(tmp_path / "x", tmp_path)
    assert np.array_equal(loaded.train.images[0, 0].numpy(), pixels // 256)


def test_photos_taken_sideways_are_turned_upright(tmp_path):
    pixels = np.zeros((10, 10, 3), dtype=np.uint8)
    pixels[0] = 255  # the top row is white as stored
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    for folder in ("train", "test"):
        (tmp_path / "x" / folder / "one").mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "x" / folder / "one" / "0.png", exif=exif)
    image = load(tmp_path / "x", tmp_path).train.images[0]
    assert (image[:, :, -1] == 255).all()
    assert (image[:, :, :-1] == 0).all()


def test_the_number_of_threads_does_not_change_a_pixel(tmp_path):
    root = fill(tmp_path / "x", count=100, size=(30, 40))
    folder = scan(f"imagefolder:{root}", tmp_path)
    fingerprints = {
        load_imagefolder(
            folder, tmp_path / str(threads), 32, ignore_progress, threads=threads
        ).fingerprint
        for threads in (1, 2, 5)
    }
    assert len(fingerprints) == 1


# --- the cache


def test_an_unchanged_folder_is_decoded_once(tmp_path):
    root = fill(tmp_path / "x")
    first, before = load(root, tmp_path), file_stamps(tmp_path / "cache")
    reports = []
    again = load(root, tmp_path, report=lambda *report: reports.append(report))
    assert again.fingerprint == first.fingerprint
    assert reports == []
    assert file_stamps(tmp_path / "cache") == before


def test_a_changed_file_is_decoded_again(tmp_path):
    root = fill(tmp_path / "x")
    first = load(root, tmp_path)
    paint(root / "cat" / "3.png", seed=999)
    os.utime(root / "cat" / "3.png", ns=(1, 1))
    assert load(root, tmp_path).fingerprint != first.fingerprint


def test_a_damaged_cache_is_made_again(tmp_path):
    root = fill(tmp_path / "x")
    first = load(root, tmp_path)
    (cached,) = (tmp_path / "cache" / "imagefolders").iterdir()
    cached.write_bytes(cached.read_bytes()[:500])
    assert load(root, tmp_path).fingerprint == first.fingerprint


def test_nothing_is_left_in_the_cache_when_decoding_fails(tmp_path):
    root = fill(tmp_path / "x")
    (root / "cat" / "7.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="cannot be read as an image"):
        load(root, tmp_path)
    assert list((tmp_path / "cache" / "imagefolders").glob("*")) == []


def test_writing_to_the_loaded_images_does_not_change_the_cache(tmp_path):
    root = fill(tmp_path / "x")
    first = load(root, tmp_path)
    first.train.images.zero_()
    assert load(root, tmp_path).fingerprint == first.fingerprint


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    root = fill(tmp_path / "x")
    (tmp_path / "cache").touch()
    with pytest.raises(DataError, match=r"the cache .* cannot be written .*GANBENCH_CACHE"):
        load(root, tmp_path)


# --- what is refused


def test_an_empty_name_is_refused():
    with pytest.raises(UsageError, match="imagefolder: needs a folder"):
        describe("")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"image folder .*/nothing does not exist"):
        describe(tmp_path / "nothing")


def test_the_home_of_somebody_who_is_not_there_is_no_folder():
    with pytest.raises(DataError, match="~no-such-user/x does not exist"):
        scan("imagefolder:~no-such-user/x", Path("nowhere"))


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "x.tar").touch()
    with pytest.raises(DataError, match=r"x\.tar is not a folder"):
        describe(tmp_path / "x.tar")


def test_a_folder_without_images_is_refused_with_the_layout_that_is_expected(tmp_path):
    (tmp_path / "readme.txt").touch()
    with pytest.raises(DataError, match=rf"{tmp_path} holds no images \(1 file .*DIR/CLASS/IMAGE"):
        describe(tmp_path)


def test_one_level_too_many_is_refused_with_the_folder_that_was_meant(tmp_path):
    fill(tmp_path / "photos")
    with pytest.raises(DataError, match=rf"did you mean imagefolder:{tmp_path}/photos\?"):
        describe(tmp_path)


def test_an_empty_class_folder_is_named(tmp_path):
    fill(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(DataError, match=rf"class folder {tmp_path}/dog holds no images"):
        describe(tmp_path)


def test_images_beside_class_folders_are_refused(tmp_path):
    fill(tmp_path)
    paint(tmp_path / "stray.png")
    with pytest.raises(DataError, match=r"both class folders \(bird, ...\) and images \(stray"):
        describe(tmp_path)


def test_folders_in_a_class_folder_are_refused(tmp_path):
    fill(tmp_path / "train")
    with pytest.raises(DataError, match=r"class folder .*/train holds the folder bird"):
        describe(tmp_path)


def test_a_class_of_one_image_cannot_be_split(tmp_path):
    fill(tmp_path)
    paint(tmp_path / "dog" / "only.png")
    with pytest.raises(DataError, match=r"class folder .*/dog holds a single image"):
        describe(tmp_path)


def test_splits_with_different_classes_are_refused(tmp_path):
    fill(tmp_path / "train", ("bird", "cat"))
    fill(tmp_path / "test", ("bird", "dog"))
    with pytest.raises(DataError, match="train and test need the same class folders; see 'cat'"):
        describe(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not an image at all", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_a_broken_image_is_named(tmp_path, content):
    root = fill(tmp_path / "x", ("only",), count=40)
    broken = root / "only" / "17.png"
    broken.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(root, tmp_path)
    assert str(caught.value).startswith(f"{broken} cannot be read as an image")
    assert "\n" not in str(caught.value)


def test_a_truncated_jpeg_is_named(tmp_path):
    root = fill(tmp_path / "x", ("only",), count=40)
    broken = root / "only" / "17.jpg"
    paint(broken, size=(64, 64))
    broken.write_bytes(broken.read_bytes()[:700])
    with pytest.raises(DataError, match=r"17\.jpg cannot be read as an image \(.*truncated"):
        load(root, tmp_path)
