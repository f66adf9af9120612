"""The level of each look at which many looks together have a given level.

A pair of variants is tested after `first` seeds and after each further one up to `limit`, and is
resolved as soon as one of these tests has a p-value below one constant level (Pocock 1977). That
level is exact for the t-tests of a few seeds: their p-values at all looks have a joint
distribution that depends on no unknown number, and is found by integrating from look to look
(Jennison and Turnbull 1991, Biometrika 78, 133-141).
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy import interpolate, special

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Sides", "any_look_below", "level_of_each_look", "sequential_p_value"]

Sides = Literal[1, 2]
Numbers: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

_CELLS = 100  # of the t-statistic between two looks: probabilities are right to half a percent
# Between these, chances are interpolated; p-values below are scaled in proportion, above they are 1
_LEVELS: tuple[float, ...] = (
    *(10.0 ** (exponent / 2) for exponent in range(-16, -1)),
    0.2,
    0.35,
    0.5,
    0.65,
    0.8,
    0.9,
)
_FARTHEST = 15.0  # the log-odds at which the open side of a one-sided test begins
_HALF_TURN = math.pi / 2


def any_look_below(level: float, first: int, limit: int, sides: Sides = 2) -> float:
    """Chance that a t-test of equal variants falls below a level at any of the looks.

    With `u` the sum of `n` differences over the root of their sum of squares, `u / sqrt(n)` is the
    sine of an angle, and a t-statistic its tangent times `sqrt(n - 1)`. The next difference, over
    the root of the sum of squares so far, is Student's t over `sqrt(n)` and independent of `u`,
    so that `u` is a Markov chain. Its distribution between the boundaries is carried from look to
    look over cells that are narrow where tails are thin.

    Args:
        level: Of the p-value of each look, in (0, 1).
        first: Differences at the first look, at least two.
        limit: Differences at the last look; there is a look at each number between.
        sides: Of the t-tests.
    """
    edges, inside = _edges(level, first, sides)
    mass, crossed = np.diff(inside), level
    for n in range(first + 1, limit + 1):
        middles = (edges[1:] + edges[:-1]) / 2
        u = math.sqrt(n - 1) * np.sin(middles)[:, None]
        edges, _ = _edges(level, n, sides)
        turned, reach = np.arctan(u), np.sqrt(1 + u * u)
        ends = np.arcsin(np.clip(math.sqrt(n) * np.sin(edges)[None, :] / reach, -1, 1))
        below = _angle_distribution(n - 1)
        # The next u is reach * sin(angle + turned): what is at most an edge lies on two arcs
        inner = below(ends - turned) - below(-math.pi - ends - turned)
        inner += 1 - below(math.pi - ends - turned)
        above = below(turned - ends[:, -1:]) - below(ends[:, -1:] + turned - math.pi)
        out = above[:, 0]
        if sides == 2:  # noqa: PLR2004 - two sides
            out = out + (below(ends[:, :1] - turned) - below(-math.pi - ends[:, :1] - turned))[:, 0]
        crossed += float(mass @ out)
        mass = mass @ np.diff(inner, axis=1)
    return crossed


def _edges(level: float, n: int, sides: Sides) -> tuple[Numbers, Numbers]:
    """Angles that bound the cells between the boundaries at `n`, and Student's t there."""
    end = float(special.logit(1 - level / sides))
    odds = np.linspace(-end if sides == 2 else -_FARTHEST, end, _CELLS + 1)  # noqa: PLR2004
    tail = special.expit(-np.abs(odds))
    t = np.sign(odds) * -special.stdtrit(n - 1, tail)
    angles, shares = np.arctan(t / math.sqrt(n - 1)), special.expit(odds)
    if sides == 1:
        angles[0], shares[0] = -_HALF_TURN, 0.0
    return angles, shares


def _angle_distribution(n: int) -> Callable[[Numbers], Numbers]:
    """The distribution function of the arctangent of Student's t with `n` degrees over `sqrt(n)`.

    It is a power of the distance to its lower end, so that logarithms are interpolated.
    """
    distances, shares = _angle_table(n)

    def below(angle: Numbers) -> Numbers:
        share = (angle >= _HALF_TURN).astype(float)
        inside = np.abs(angle) < _HALF_TURN
        distance = np.log(angle[inside] + _HALF_TURN)
        share[inside] = np.exp(np.interp(distance, distances, shares))
        return share

    return below


@cache
def _angle_table(n: int) -> tuple[Numbers, Numbers]:
    distances = np.linspace(math.log(1e-12), math.log(math.pi), 4001)
    t = -math.sqrt(n) / np.tan(np.exp(distances[:-1]))
    shares = np.append(np.log(np.maximum(special.stdtr(n, t), 1e-300)), 0.0)
    return distances, shares


@cache
def _chance(first: int, limit: int, sides: Sides) -> interpolate.PchipInterpolator:
    """The logarithm of `any_look_below` as a function of that of the level."""
    chances = [any_look_below(level, first, limit, sides) for level in _LEVELS]
    return interpolate.PchipInterpolator(np.log(_LEVELS), np.log(chances))


def sequential_p_value(smallest: float, first: int, limit: int, sides: Sides = 2) -> float:
    """The p-value of a pair, from the smallest of the p-values of its looks so far.

    Whenever one stops, the chance that it is at most `a` for equal variants is at most `a`.
    """
    if first == limit:
        return smallest
    if smallest > _LEVELS[-1]:
        return 1.0
    chance = _chance(first, limit, sides)
    least = _LEVELS[0]
    if smallest < least:
        return smallest / least * math.exp(float(chance(math.log(least))))
    return min(1.0, math.exp(float(chance(math.log(smallest)))))


@cache
def level_of_each_look(alpha: float, first: int, limit: int, sides: Sides = 2) -> float:
    """The level of each look at which all of them together have the level `alpha`."""
    low, high = alpha / (limit - first + 1), alpha  # all looks apart, and all looks alike
    for _ in range(50):
        middle = math.sqrt(low * high)
        if sequential_p_value(middle, first, limit, sides) < alpha:
            low = middle
        else:
            high = middle
    return high
