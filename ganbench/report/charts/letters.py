"""Letters in charts: fonts, how wide a text is, and lines that are broken where it is too wide."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.textpath import TextToPath

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["broken", "drawable", "fonts", "legend_columns"]

_LEGEND_SIZE = 8.5
_WORDS = re.compile(r"[^ ]* |[^ ]+")
_PARTS_OF_NAMES = re.compile(r"[^-_ ./]*[-_ ./]|[^-_ ./]+")
# Families with Chinese, Japanese and Korean signs, on the systems that have them.
_FURTHER_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei",
    "Droid Sans Fallback", "Hiragino Sans", "PingFang SC", "Microsoft YaHei", "Yu Gothic",
    "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip


@lru_cache(maxsize=1)
def fonts() -> tuple[str, ...]:
    """The font that ships with matplotlib, and behind it those with further signs, if any."""
    known = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in _FURTHER_FONTS if name in known))


def drawable(text: str) -> bool:
    """Whether some font on this machine has every sign of a text."""
    signs = {ord(sign) for sign in text if not sign.isspace()}
    for name in fonts():
        file = fontManager.findfont(FontProperties(family=name))
        signs -= set(get_font(file).get_charmap())
    return not signs


def broken(
    text: str, size: float, weight: str, width: float, *, is_name: bool = False
) -> list[str]:
    """A text in lines that fit a width in inches.

    Between words; a word that is wider stands out. A name is broken after signs too, and between
    letters where nothing else makes it fit.
    """
    room = 72 * width
    lines = [""]
    for part in (_PARTS_OF_NAMES if is_name else _WORDS).findall(text):
        is_wide = is_name and _points(part.rstrip(), size, weight) > room
        for piece in part if is_wide else [part]:
            if lines[-1] and _points((lines[-1] + piece).rstrip(), size, weight) > room:
                lines.append("")
            lines[-1] += piece
    return [line.rstrip() for line in lines if line]


@lru_cache(maxsize=4096)
def _points(text: str, size: float, weight: str) -> float:
    """How wide a text is, in points."""
    font = FontProperties(family=list(fonts()), size=size, weight=weight)
    width, *_ = TextToPath().get_text_width_height_descent(text, font, False)  # noqa: FBT003 - matplotlib's
    return float(width)


def legend_columns(labels: Sequence[str], width: float) -> int:
    """How many entries of a legend stand side by side in a width in inches."""
    widest = max((_points(label, _LEGEND_SIZE, "normal") for label in labels), default=0.0)
    return max(1, min(len(labels), int(72 * (width - 0.2) / (widest + 40))))
