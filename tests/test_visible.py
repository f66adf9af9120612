from __future__ import annotations

import pytest

from ganbench.visible import quoted, spreadsheet_text, visible, visible_values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, 名前, é, 🙂, $x$ [/x]", "plain, 名前, é, 🙂, $x$ [/x]"),
        ("\x1b[2J", r"\x1b[2J"),
        ("two\nlines\r", r"two\nlines\r"),
        ("turned \u202e round", r"turned \u202e round"),
        ("a\u200bb\ufeff\u200f", r"a\u200bb\ufeff\u200f"),  # nobody sees them
        (
            "\U0001f469\u200d\U0001f52c \u200c \u05e9",
            "\U0001f469\u200d\U0001f52c \u200c \u05e9",
        ),  # joined
        ("caf\udce9", r"caf\udce9"),  # a byte of a file name that is not UTF-8
    ],
)
def test_what_acts_on_a_terminal_or_cannot_be_encoded_is_written_out(text, shown):
    assert visible(text) == shown
    visible(text).encode()


def test_texts_are_made_visible_wherever_they_stand_in_plain_values():
    values = {"a\n": ["b\x1b", ("c\0", 1)], "d": None}
    assert visible_values(values) == {r"a\n": [r"b\x1b", (r"c\x00", 1)], "d": None}


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "=HYPERLINK(1)"])
def test_a_text_that_a_spreadsheet_would_execute_begins_with_an_apostrophe(text):
    assert spreadsheet_text(text) == "'" + text


@pytest.mark.parametrize("value", ["-0.5", "+1e-3", "-inf", -0.5, None, 3, "a=b", "", "1-2"])
def test_numbers_and_other_texts_stay_as_they_are_in_a_csv(value):
    assert spreadsheet_text(value) == value


@pytest.mark.parametrize(
    ("most", "shown"),
    [
        (80, "Loading failed. Use version 1.2 of the file. See the manual"),
        (50, "Loading failed. Use version 1.2 of the file."),
        (30, "Loading failed."),
        (12, "Loading …"),
    ],
)
def test_a_message_of_a_library_is_quoted_in_whole_sentences_or_at_least_words(most, shown):
    text = "Loading failed.\n  Use version 1.2 of the file.\nSee the manual"
    assert quoted(text, most) == shown
    assert len(shown) <= most
