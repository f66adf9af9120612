// The chosen sample: enlarged, moved, on the way to another one, and beside training images.

import { caption, cells, element, figures, find } from "/show.js";
import { ask, asked, draw, interpolated, isPoints, LAST_STEP, latest, page, place, say, values, wanted } from "/state.js";
import { showPlane } from "/samples.js";


export const showLarge = latest(async () => {
  const sides = page.sides.filter((side) => !isPoints(side));
  const shown = figures(find("large"), sides);
  find("large").hidden = !sides.length;
  find("near").replaceChildren(); // it was of another sample
  for (const side of page.sides) {
    const drawn = await draw(side, [place()]);
    side.over.near = [];
    side.at = drawn.points?.[0];
    const name = drawn.classes[0] ?? "";
    if (isPoints(side)) {
      side.over.chosen = drawn.points[0];
      showPlane(side);
      continue;
    }
    const figure = shown[sides.indexOf(side)];
    let image = figure.querySelector("img");
    if (!image) figure.prepend((image = element("img", { alt: "the chosen sample, enlarged" })));
    image.src = drawn.images[0];
    caption(figure, side, name, sides.length > 1);
  }
  const points = page.sides.filter(isPoints).map((side) => side.at.slice(0, 2).map((value) => value.toFixed(2)).join(", "));
  find("at").textContent = points.length ? `At (${points.join("), beside it (")}). Blue points are of high quality: near enough to a mode.` : "";
});

export const showInterpolation = latest(async () => {
  if (page.other === null) return find("strips").replaceChildren();
  const strips = [];
  for (const side of page.sides) {
    const drawn = await draw(side, interpolated(side));
    if (isPoints(side)) {
      side.over.path = drawn.points;
      showPlane(side);
      continue;
    }
    const strip = element("div", { className: `strip ${side.mark}` });
    cells(strip, drawn.images, [], (step) => {
      page.share = step / LAST_STEP;
      find("share").value = page.share;
      showLarge();
    });
    strips.push(strip);
  }
  find("strips").replaceChildren(...strips);
});

export async function findDirections() {
  const side = page.sides[0];
  find("sliders").replaceChildren();
  find("directions-said").textContent = "Directions in which images change most are being looked for…";
  const { shares } = await values("/directions", { run: side.key });
  if (side !== page.sides[0]) return;
  const things = isPoints(side) ? "points" : "images";
  find("directions-said").textContent =
    `Along these directions ${things} change most, on average; the share of all change stands beside each. Steps are standard deviations.`;
  find("sliders").replaceChildren(...shares.map((share, number) => {
    const input = element("input", { type: "range", min: -4, max: 4, step: 0.1, value: 0, ariaLabel: `direction ${number + 1}` });
    const output = element("output", { textContent: "0.0" });
    input.addEventListener("input", () => {
      page.moves = shares.map((_, other) => page.moves[other] ?? 0).with(number, Number(input.value));
      output.textContent = page.moves[number].toFixed(1);
      showLarge();
    });
    const percent = share < 0.01 ? "<1" : Math.round(100 * share);
    return element("label", { className: "slider" }, element("span", { textContent: `${number + 1} · ${percent}%` }), input, output);
  }));
}

export async function findNearest() {
  say("Looking for the nearest training images; the first time, they are read and described…");
  const rows = [];
  const sampleNow = () => JSON.stringify([place(), page.sides.map(wanted)]);
  const sample = sampleNow();
  for (const side of page.sides) {
    const near = await values("/nearest", {
      run: side.key, place: place(), wanted: wanted(side), along: page.sides[0].key, by: find("by").value,
    });
    rows.push(element("p", { className: "muted", textContent: near.said }));
    if (isPoints(side)) {
      side.over.near = near.points;
      showPlane(side);
      rows.push(element("p", { className: "muted", textContent: `Distances: ${near.distances.join(", ")} (squares on the plane).` }));
      continue;
    }
    const generated = element("div", {},
      element("img", { src: near.sample, alt: "the chosen sample" }), element("small", { textContent: "generated" }));
    rows.push(element("div", { className: `neighbours ${side.mark}` }, generated, ...near.images.map((source, number) =>
      element("div", { title: `training image ${near.rows[number]}` },
        element("img", { src: source, alt: `training image ${near.rows[number]}, ${near.classes[number]}` }),
        element("small", { textContent: near.classes[number] }), element("small", { textContent: near.distances[number] })))));
  }
  if (sampleNow() === sample) find("near").replaceChildren(...rows);
  say("");
}

export async function save(placesOf, name) {
  const parts = page.sides.map((side) => asked(side, placesOf(side)));
  const address = URL.createObjectURL(await (await ask("/picture", { parts })).blob());
  element("a", { href: address, download: `${name}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
