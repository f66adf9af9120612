"""Each address of the page's server: who is answered, and with what."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from play_doubles import untrained_run

from ganbench.machine.device import Device
from ganbench.playground.choices import find_choices
from ganbench.playground.playground import Playground

pytest.importorskip("flask", reason="Flask is not installed: pip install 'ganbench[play]'")

from ganbench.playground.server import application, server

PORT = 8123
OWN = f"http://127.0.0.1:{PORT}"
VARIANTS = ("lsgan", "acgan", "texthash", "texthash-naive")


@pytest.fixture(scope="module")
def playground(tmp_path_factory, cache_root):
    folder = tmp_path_factory.mktemp("results")
    for variant in VARIANTS:
        untrained_run(folder / variant, variant)
    untrained_run(folder / "points", "lsgan", "ring8", network="mlp")
    untrained_run(folder / "wide", "lsgan", latent_dim=12)
    untrained_run(folder / "gone", "mlp").checkpoint.unlink()
    choices, _ = find_choices([folder])
    return Playground(choices, Device("cpu"), cache_root, cache_root)


@pytest.fixture
def client(playground):
    return application(playground, PORT).test_client()


@pytest.fixture
def keys(client):
    """Keys of the runs, by variant, dataset and size of the latents."""
    runs = client.get("/runs", base_url=OWN).json["runs"]
    named = {}
    for run in runs:
        name = run["title"].split(" · ")[0]
        name = "points" if run["dataset"] == "ring8" else name
        named["wide" if name in named else name] = run["key"]
    return named


def ask(client, path, code=200, **body):
    answer = client.post(path, json=body, base_url=OWN)
    assert answer.status_code == code, answer.text
    return answer.json if answer.is_json else answer.data


def places(*indices, **more):
    return [{"seed": 1, "index": index, **more} for index in indices]


def pixels(address):
    head, _, content = address.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


# --- Who is answered ---


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1:1", "127.0.0.1"]
)
@pytest.mark.parametrize("path", ["/", "/runs", "/page.js"])
def test_a_request_by_another_name_is_not_answered(client, host, path):
    answer = client.get(path, base_url=OWN, headers={"Host": host})
    assert answer.status_code == 403
    assert "ganbench play" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_requests_of_other_pages_are_not_answered(client, headers):
    assert client.get("/runs", base_url=OWN, headers=headers).status_code == 403
    answer = client.post("/load", json={"run": "0"}, base_url=OWN, headers=headers)
    assert answer.status_code == 403
    assert client.get("/", base_url=OWN, headers=headers).status_code == 200


def test_the_page_itself_is_answered_by_both_names_of_this_machine(client):
    headers = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://localhost:{PORT}"}
    answer = client.get("/runs", base_url=f"http://localhost:{PORT}", headers=headers)
    assert answer.status_code == 200


def test_a_form_of_another_page_cannot_ask_for_anything(client):
    answer = client.post("/load", data='{"run": "0"}', content_type="text/plain", base_url=OWN)
    assert answer.status_code == 415


def test_the_server_listens_on_the_loopback_address_alone(playground):
    opened = server(playground)
    try:
        assert opened.socket.getsockname() == ("127.0.0.1", opened.port)
    finally:
        opened.server_close()


# --- The page ---


def test_the_page_fetches_nothing_from_elsewhere(client):
    page = client.get("/", base_url=OWN)
    assert page.mimetype == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    texts = [page.text]
    asked = set(re.findall(r'(?:src|href)="(/[\w.]+)"', page.text))
    while asked:
        answer = client.get(asked.pop(), base_url=OWN)
        assert answer.status_code == 200
        if answer.text not in texts:
            texts.append(answer.text)
            asked |= set(re.findall(r'from "(/[\w.]+)"', answer.text))
    assert len(texts) == 7
    assert not [text for text in texts if re.search(r"https?://|@import|url\(", text)]


def test_every_element_that_the_scripts_look_for_is_on_the_page(client):
    page = client.get("/", base_url=OWN).text
    for name in ("page.js", "state.js", "samples.js", "chosen.js"):
        script = client.get(f"/{name}", base_url=OWN).text
        missing = [
            found
            for found in re.findall(r'find\("([\w-]+)"\)', script)
            if f'id="{found}"' not in page
        ]
        assert missing == []


# --- Runs ---


def test_all_runs_are_listed_and_one_without_a_checkpoint_says_so(client):
    answer = client.get("/runs", base_url=OWN).json
    assert answer["device"] == "cpu"
    problems = {run["id"].split("-s0")[0]: run["problem"] for run in answer["runs"]}
    assert "no checkpoint.pt" in problems.pop("mlp-digits")
    assert set(problems.values()) == {""}


def test_a_run_that_cannot_be_loaded_says_why_in_one_line(client, keys):
    message = ask(client, "/load", 422, run=keys["mlp"])["error"]
    assert "no checkpoint.pt" in message
    assert "\n" not in message
    assert "load it again" in ask(client, "/load", 422, run="99")["error"]


@pytest.mark.parametrize(
    ("name", "classes", "prompt", "is_latent"),
    [
        ("lsgan", 0, False, False),
        ("acgan", 10, False, False),
        ("texthash", 10, True, False),
        ("texthash-naive", 0, True, True),
    ],
)
def test_a_run_says_what_it_takes(client, keys, name, classes, prompt, is_latent):
    about = ask(client, "/load", run=keys[name])
    assert len(about["classes"]) == classes
    assert (about["takes_prompt"], about["prompt_is_latent"]) == (prompt, is_latent)
    assert about["latent_dim"] == 8
    assert about["shape"] == [1, 16, 16]
    assert about["plane"] is None


# --- Drawing ---


def test_a_sample_is_the_same_alone_and_among_others(client, keys):
    many = ask(client, "/draw", run=keys["lsgan"], places=places(*range(6)))["images"]
    alone = ask(client, "/draw", run=keys["lsgan"], places=places(4))["images"]
    assert pixels(alone[0]).shape == (16, 16)
    difference = pixels(alone[0]).astype(int) - pixels(many[4])
    assert np.abs(difference).max() <= 1  # of 255: convolutions of other batches round otherwise
    assert len(set(many)) == 6


def test_classes_are_drawn_in_turn_or_the_one_that_is_chosen(client, keys):
    run = keys["acgan"]
    assert ask(client, "/draw", run=run, places=places(0, 3, 12))["classes"] == ["0", "3", "2"]
    chosen = ask(client, "/draw", run=run, places=places(0, 3), wanted={"label": 3})
    assert chosen["classes"] == ["3", "3"]
    in_turn = ask(client, "/draw", run=run, places=places(0, 3))
    assert chosen["images"][0] != in_turn["images"][0]
    refused = ask(client, "/draw", 422, run=run, places=places(0), wanted={"label": 10})
    assert "allowed are 0 to 9" in refused["error"]


def test_a_prompt_changes_what_is_drawn_and_strange_words_are_named(client, keys):
    wanted = {"prompt": "a handwritten digit zebra"}
    answer = ask(client, "/draw", run=keys["texthash"], places=places(0, 1), wanted=wanted)
    assert answer["unknown"] == ["zebra"]
    assert answer["classes"] == [None, None]
    assert len(set(answer["images"])) == 2
    other = ask(client, "/draw", run=keys["texthash"], places=places(0, 1))
    assert other["images"] != answer["images"]


def test_a_prompt_that_takes_the_place_of_the_latent_draws_one_image(client, keys):
    body = {"run": keys["texthash-naive"], "places": places(0, 1, 2)}
    assert len(set(ask(client, "/draw", **body)["images"])) == 3
    assert len(set(ask(client, "/draw", **body, wanted={"prompt": "three"})["images"])) == 1


@pytest.mark.parametrize("wanted", [{"prompt": "three"}, {"label": 1}])
def test_what_a_variant_does_not_take_is_refused(client, keys, wanted):
    refused = ask(client, "/draw", 422, run=keys["lsgan"], places=places(0), wanted=wanted)
    assert re.search(r"lsgan takes no (prompt|class)", refused["error"])


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"places": []}, "places"),
        ({"places": [{"seed": -1, "index": 0}]}, "places.0.seed"),
        ({"places": places(1024)}, "places.0.index"),
        ({"places": places(0), "wanted": {"truncation": 9}}, "wanted.truncation"),
        ({"places": places(0), "file": "/etc"}, "file"),
    ],
)
def test_a_request_that_makes_no_sense_says_where(client, keys, changes, where):
    refused = ask(client, "/draw", 400, **{"run": keys["lsgan"], **changes})
    assert refused["error"].startswith(f"{where}: ")


def test_points_come_as_coordinates_with_the_plane_they_lie_on(client, keys):
    about = ask(client, "/load", run=keys["points"])
    assert about["kind"] == "points"
    assert len(about["plane"]["modes"]) == 8
    points = ask(client, "/draw", run=keys["points"], places=places(*range(30)))["points"]
    assert len(points) == 30
    assert {type(value) for value in points[0]} == {float, bool}


def test_points_of_a_mixture_that_nobody_knows_are_an_error_of_one_line(tmp_path, cache_root):
    run = untrained_run(tmp_path, "lsgan", "ring8", network="mlp")
    path = run.path / "result.json"
    path.write_text(path.read_text().replace('"ring8"', '"ring9"'))
    foreign = Playground(find_choices([tmp_path])[0], Device("cpu"), cache_root, cache_root)
    client = application(foreign, PORT).test_client()
    assert "ring9 holds points of no mixture" in ask(client, "/load", 422, run="0")["error"]


# --- Moving, neighbours and pictures ---


def test_a_move_along_a_direction_changes_the_image_and_back_again(client, keys):
    run = keys["lsgan"]
    shares = ask(client, "/directions", run=run)["shares"]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001
    still = ask(client, "/draw", run=run, places=places(0))["images"]
    moved = ask(client, "/draw", run=run, places=places(0, moves=[3.0]))["images"]
    assert moved != still
    assert ask(client, "/draw", run=run, places=places(0, moves=[0.0]))["images"] == still


def test_two_runs_are_moved_along_the_directions_of_the_first(client, keys, playground):
    first, second = keys["lsgan"], keys["acgan"]
    body = {"run": second, "places": places(0, moves=[3.0]), "wanted": {"label": 0}}
    assert ask(client, "/draw", **body) != ask(client, "/draw", **body, along=first)
    wide = {**body, "run": keys["wide"], "wanted": {}}  # whose latents have another size
    assert ask(client, "/draw", **wide) == ask(client, "/draw", **wide, along=first)


def test_the_nearest_training_images_come_with_the_sample(client, keys):
    body = {"run": keys["lsgan"], "place": places(0)[0], "by": "pixels", "count": 3}
    near = ask(client, "/nearest", **body)
    assert len(near["images"]) == len(near["distances"]) == len(near["classes"]) == 3
    assert near["distances"] == sorted(near["distances"])
    assert pixels(near["images"][0]).shape == (8, 8)
    drawn = ask(client, "/draw", run=keys["lsgan"], places=places(0))["images"]
    assert near["sample"] == drawn[0]
    assert "in pixels" in near["said"]


def test_a_picture_shows_both_runs_and_says_how_it_was_made(client, keys):
    parts = [{"run": keys[name], "places": places(*range(8))} for name in ("lsgan", "acgan")]
    one = Image.open(io.BytesIO(ask(client, "/picture", parts=parts[:1])))
    both = Image.open(io.BytesIO(ask(client, "/picture", parts=parts)))
    assert both.width > 2 * one.width
    assert one.width > 8 * 64  # eight images in a row, each enlarged
    first, second = both.text["Description"].split("\n")
    assert first.startswith("lsgan-digits-s0-abc123 {")
    assert json.loads(second.partition(" ")[2])["places"][7]["index"] == 7


def test_generators_that_were_not_used_for_longest_make_room(playground, client, keys):
    for name in ("lsgan", "acgan", "texthash", "texthash-naive", "wide", "lsgan"):
        ask(client, "/load", run=keys[name])
    assert list(playground._loaded) == [
        keys[name] for name in ("texthash", "texthash-naive", "wide", "lsgan")
    ]


def test_a_generator_that_draws_no_numbers_is_an_error_of_one_line(client, keys, playground):
    ask(client, "/load", run=keys["wide"])
    network = playground._loaded[keys["wide"]].state.generator
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    refused = ask(client, "/draw", 422, run=keys["wide"], places=places(0))
    assert "not finite" in refused["error"]
