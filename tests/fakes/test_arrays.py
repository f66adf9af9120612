"""Arrays of images: every layout and range that is accepted, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.errors import DataError, UsageError
from ganbench.fakes.arrays import ArrayFormat, images_of, points_of, with_channels

GREY = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4) * 8


def equal(images, expected):
    assert images.dtype == torch.uint8
    np.testing.assert_array_equal(images.numpy(), expected)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        GREY[:, None],
        GREY[..., None],
        torch.from_numpy(GREY[:, None]),
        GREY.astype(np.float64) / 255,
        (GREY / 127.5 - 1).astype(np.float32),
        (GREY / 127.5 - 1).astype(">f4"),
        torch.from_numpy(GREY / 255).half(),
    ],
    ids=["nhw", "nchw", "nhwc", "tensor", "unit", "signed", "big endian", "half"],
)
def test_every_layout_and_range_gives_the_same_images(array):
    equal(images_of(array, ArrayFormat(), "a"), GREY[:, None])


def test_channels_last_become_channels_first():
    colour = np.stack([GREY, GREY + 1, GREY + 2], axis=-1)
    equal(images_of(colour, ArrayFormat(), "a"), colour.transpose(0, 3, 1, 2))


def test_bfloat16_which_numpy_lacks_is_read():
    images = images_of(torch.full((1, 1, 2, 2), -1.0, dtype=torch.bfloat16), ArrayFormat(), "a")
    equal(images, np.zeros((1, 1, 2, 2)))


def test_the_rows_that_are_wanted_are_taken():
    equal(images_of(GREY, ArrayFormat(), "a", torch.tensor([1])), GREY[1:, None])


def test_a_range_that_the_user_gives_clips_what_lies_outside():
    values = np.array([[[-1.5, 1.5], [0.0, -1.0]]])
    form = ArrayFormat(value_range="-1..1")
    equal(images_of(values, form, "a"), [[[[0, 255], [128, 0]]]])


def test_floats_of_grey_values_need_their_range():
    floats = GREY.astype(np.float32)
    with pytest.raises(UsageError, match=r"from 0 to 248.*--range"):
        images_of(floats, ArrayFormat(), "a")
    equal(images_of(floats, ArrayFormat(value_range="0..255"), "a"), GREY[:, None])


def test_a_shape_that_may_be_two_layouts_needs_one():
    images = np.zeros((5, 3, 3, 3), np.uint8)
    images[:, 0] = 9
    with pytest.raises(UsageError, match="--layout NCHW or --layout NHWC"):
        images_of(images, ArrayFormat(), "a")
    equal(images_of(images, ArrayFormat("NCHW"), "a"), images)
    equal(images_of(images, ArrayFormat("NHWC"), "a"), images.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (GREY.astype(np.int64), "int64"),
        (GREY.reshape(2, 16), r"\(2, 16\)"),
        (np.zeros((2, 2, 4, 4), np.uint8), r"1 or 3 channels"),
        (np.zeros((2, 4, 5), np.uint8), "4×5"),
        (np.zeros((0, 4, 4), np.uint8), "empty"),
        (np.full((2, 4, 4), np.nan), "not finite"),
        (np.full((2, 4, 4), 1.5), "cannot be told"),
        (torch.zeros(2, 4, 4).to_sparse(), "no plain numbers"),
        (torch.zeros(2, 4, 4, device="meta"), "no plain numbers"),
    ],
)
def test_anything_else_is_refused_in_one_line(array, message):
    with pytest.raises(UsageError, match=message) as caught:
        images_of(array, ArrayFormat(), "mine.npy")
    assert str(caught.value).startswith("mine.npy")
    assert "\n" not in str(caught.value)


def test_a_range_is_no_matter_of_uint8():
    with pytest.raises(UsageError, match=r"uint8, which is 0\.\.255"):
        images_of(GREY, ArrayFormat(value_range="0..1"), "a")


def test_grey_images_become_coloured_and_colourless_ones_grey():
    grey = torch.from_numpy(GREY[:, None])
    colour = with_channels(grey, 3, "a")
    assert colour.shape == (2, 3, 4, 4)
    assert torch.equal(with_channels(colour, 1, "a"), grey)


def test_colours_are_not_thrown_away():
    colour = torch.from_numpy(np.stack([GREY, GREY, 255 - GREY], axis=1))
    with pytest.raises(DataError, match="coloured images, and the reference is grey"):
        with_channels(colour, 1, "a")


def test_points_keep_their_numbers():
    points = np.array([[0.5, -3.0], [2.0, 1.0]])
    assert points_of(points, 2, "a").tolist() == points.tolist()
    assert points_of(points, 2, "a", torch.tensor([1])).tolist() == [[2.0, 1.0]]


@pytest.mark.parametrize("array", [GREY, np.zeros((3, 3)), np.full((3, 2), np.inf)])
def test_what_is_no_point_is_refused(array):
    with pytest.raises(UsageError, match=r"\(N, 2\)|not finite"):
        points_of(array, 2, "a")
