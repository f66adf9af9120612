"""Text without a vocabulary: words are hashed to positions of a vector, the same ones for ever.

Python's own `hash` of a string differs from process to process; these functions use BLAKE2b, so
that a network trained on hashed captions understands the same words tomorrow.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["hash_word", "naive_hash_vector", "signed_hash_vector", "tokenize"]

_HASH_BITS = 64


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words; punctuation separates and is dropped.

    Different encodings of one letter (an accent apart or not) give the same word.
    """
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())


def hash_word(word: str, salt: int = 0) -> int:
    """Hash a word to an integer in [0, 2**64), the same in every process and on every machine."""
    digest = hashlib.blake2b(
        word.encode(), digest_size=_HASH_BITS // 8, salt=salt.to_bytes(8, "big")
    )
    return int.from_bytes(digest.digest(), "big")


def signed_hash_vector(text: str, size: int, hashes: int = 4) -> Tensor:
    """Encode a text by signed feature hashing (Weinberger et al. 2009, arXiv:0902.2206).

    Each word adds +1 or -1 at `hashes` positions, so that two words rarely share all of them.
    The order of the words does not matter; a sentence lands near another one that shares words
    with it.

    Returns:
        float32 of shape (size,), small whole numbers: as many as `hashes` times the words are not
        zero, unless they meet. All zeros for a text without words.
    """
    import torch

    vector = torch.zeros(size)
    for word in tokenize(text):
        for salt in range(hashes):
            value = hash_word(word, salt)
            sign = 1.0 if value >> (_HASH_BITS - 1) else -1.0
            vector[value % size] += sign
    return vector


def naive_hash_vector(text: str, size: int) -> Tensor:
    """Write each word's hash at the position `hash % size` of an otherwise empty vector.

    The hash is scaled to [-1, 1) before it is written; a later word overwrites an earlier one at
    the same position.

    Returns:
        float32 of shape (size,).
    """
    import torch

    vector = torch.zeros(size)
    for word in tokenize(text):
        value = hash_word(word)
        vector[value % size] = value / 2 ** (_HASH_BITS - 1) - 1.0
    return vector
