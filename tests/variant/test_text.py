from __future__ import annotations

import os
import subprocess
import sys
from hashlib import blake2b

import pytest
import torch

from ganbench.variant.text import hash_word, naive_hash_vector, signed_hash_vector, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A photo of a Truck.", ["a", "photo", "of", "a", "truck"]),
        ("t-shirt/top, 9!", ["t", "shirt", "top", "9"]),
        ("", []),
        ("?!", []),
        ("Ärger über 猫", ["ärger", "über", "猫"]),
    ],
)
def test_a_text_is_split_into_lower_case_words(text, words):
    assert tokenize(text) == words


def test_an_accent_may_be_written_apart():
    assert tokenize("cafe\u0301") == tokenize("caf\u00e9") == ["caf\u00e9"]


def test_a_word_hashes_to_the_big_endian_number_of_its_blake2b_digest():
    digest = blake2b(b"truck", digest_size=8, salt=(0).to_bytes(8, "big")).digest()
    assert hash_word("truck") == sum(byte << 8 * place for place, byte in enumerate(digest[::-1]))


def test_the_hash_of_a_word_never_changes():
    assert hash_word("truck") == 0x48961F66F7529CCC  # printf truck | b2sum --length=64
    assert hash_word("truck", salt=3) == 1287157389719939821


def test_words_hash_alike_in_processes_that_salt_their_own_hash_differently():
    program = "from ganbench.variant.text import hash_word; print(hash_word('frog'), hash('frog'))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True, capture_output=True, text=True,
        ).stdout.split()
        for seed in ("1", "2")
    ]  # fmt: skip
    assert outputs[0][0] == outputs[1][0] == str(hash_word("frog"))
    assert outputs[0][1] != outputs[1][1]


def test_different_words_and_salts_give_different_hashes():
    hashes = {hash_word(f"word{number}", salt) for number in range(1000) for salt in range(4)}
    assert len(hashes) == 4000


def test_a_text_is_hashed_to_signed_positions_by_the_formula():
    counts = [0.0] * 16
    for word in ("red", "truck", "red"):
        for salt in range(3):
            value = hash_word(word, salt)
            counts[value % 16] += 1 if value >= 2**63 else -1
    vector = signed_hash_vector("Red truck, red", 16, hashes=3)
    assert vector.tolist() == counts
    assert vector.dtype == torch.float32


@pytest.mark.parametrize("size", [7, 100, 128])
def test_each_word_moves_as_many_entries_as_it_has_hashes(size):
    vector = signed_hash_vector("truck", size, hashes=4)
    assert vector.shape == (size,)
    assert float(vector.abs().sum()) in (0, 2, 4)  # two at one position add up or cancel


def test_the_order_of_the_words_does_not_matter():
    assert torch.equal(signed_hash_vector("red truck", 64), signed_hash_vector("truck, red", 64))


def test_a_sentence_lies_nearer_to_one_with_shared_words():
    trained = signed_hash_vector("a photo of a truck", 128)
    cosine = torch.nn.functional.cosine_similarity
    near = cosine(signed_hash_vector("a picture of some truck", 128), trained, dim=0)
    far = cosine(signed_hash_vector("one frog", 128), trained, dim=0)
    assert near > 0.5 > abs(far) + 0.2


def test_a_text_without_words_is_an_empty_vector():
    assert torch.equal(signed_hash_vector("...", 8), torch.zeros(8))
    assert torch.equal(naive_hash_vector("", 8), torch.zeros(8))


def test_the_naive_vector_holds_each_words_hash_at_the_position_that_it_chooses():
    vector = naive_hash_vector("frog truck", 100)
    expected = {hash_word(word) % 100: hash_word(word) / 2**63 - 1 for word in ("frog", "truck")}
    assert len(expected) == 2
    assert {int(place) for place in vector.nonzero()} == set(expected)
    for place, value in expected.items():
        assert float(vector[place]) == pytest.approx(value, rel=1e-6)
        assert -1 <= value < 1


def test_in_the_naive_vector_a_later_word_overwrites_an_earlier_one():
    assert torch.equal(naive_hash_vector("frog truck", 1), naive_hash_vector("truck", 1))
