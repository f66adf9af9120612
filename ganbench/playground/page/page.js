// The page: what is chosen on it, and what it asks the server for.

import { caption, cells, clicked, element, figures, find, mark, options, scatter } from "/show.js";

const IMAGES = 24, POINTS = 1000, STEPS = 9, WAY_POINTS = 60, SLIDERS = 6;
const page = {
  sides: [], // of one or two generators: {mark, key, about, drawn, over}
  seed: 0, chosen: 0, other: null, share: 0, moves: Array(SLIDERS).fill(0), picking: false,
};

// --- Asking ---

async function ask(path, body) {
  let answer;
  try {
    answer = await fetch(path, body && {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer: is ganbench play still running?");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.error ?? `The server answers with ${answer.status}.`);
}

const values = async (path, body) => (await ask(path, body)).json();

function say(text, isBad = false) {
  find("message").textContent = text;
  find("message").classList.toggle("bad", isBad);
}

// Runs a task again if it was asked for while it ran: a slider that moves asks for its last place.
function latest(task) {
  let running = false, again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await task();
      }
    } catch (error) {
      say(error.message, true);
    } finally {
      running = false;
    }
  };
}

const pressed = (task) => async () => {
  try {
    await task();
  } catch (error) {
    say(error.message, true);
  }
};

// --- What is asked for ---

const isPoints = (side) => side.about.kind === "points";
const bare = (index) => ({ seed: page.seed, index });

function place() {
  const toward = page.other === null ? null : bare(page.other);
  return { ...bare(page.chosen), toward, share: toward ? page.share : 0, moves: page.moves };
}

function wayPlaces(count) {
  const shares = Array.from({ length: count }, (_, step) => step / (count - 1));
  return shares.map((share) => ({ ...bare(page.chosen), toward: bare(page.other), share }));
}

function samplePlaces(side) {
  return Array.from({ length: isPoints(side) ? POINTS : IMAGES }, (_, index) => bare(index));
}

function wanted(side) {
  const { classes, takes_prompt: takesPrompt, truncation } = side.about;
  const prompt = takesPrompt ? find("prompt").value.trim() : "";
  const label = Number(find("label").value);
  const isLabel = !prompt && find("label").value !== "" && label < classes.length;
  return {
    ...(prompt && { prompt }),
    ...(isLabel && { label }),
    truncation: truncation.kind === "none" ? 1 : Number(find("truncation").value),
  };
}

const asked = (side, places) => ({ run: side.key, places, wanted: wanted(side), along: page.sides[0].key });
const draw = (side, places) => values("/draw", asked(side, places));

// --- Samples ---

const showSamples = latest(async () => {
  const unknown = new Set();
  const shown = figures(find("samples"), page.sides);
  for (const [number, side] of page.sides.entries()) {
    const drawn = await draw(side, samplePlaces(side));
    drawn.unknown.forEach((word) => unknown.add(word));
    side.drawn = drawn;
    const figure = shown[number];
    caption(figure, side, side.about.title + (side.about.average ? " · moving average" : ""));
    if (isPoints(side)) showPlane(side, figure);
    else {
      figure.querySelector("canvas")?.remove();
      let grid = figure.querySelector(".grid");
      if (!grid) figure.append((grid = element("div", { className: "grid" })));
      cells(grid, drawn.images, drawn.classes, choose);
      mark(grid, page.chosen, page.other);
    }
  }
  const words = [...unknown].join(", ");
  say(words && `In no caption of ${page.sides[0].about.dataset}: ${words}. The generator has never seen such a word.`);
});

function showPlane(side, figure = find("samples").querySelector(`figure.${side.mark}`)) {
  if (!figure || !side.drawn) return;
  figure.querySelector(".grid")?.remove();
  let canvas = figure.querySelector("canvas");
  if (!canvas) {
    figure.append((canvas = element("canvas", { ariaLabel: "points; press to choose the nearest one", role: "img" })));
    canvas.addEventListener("click", (event) => choose(clicked(event, side.about.plane, side.drawn.points)));
  }
  scatter(canvas, side.about.plane, side.drawn.points, side.over);
}

function choose(index) {
  if (page.picking && index !== page.chosen) {
    page.other = index;
    page.share = 0.5;
  } else if (!page.picking) {
    page.chosen = index;
    page.moves.fill(0);
    page.share = page.other === null ? 0 : page.share;
    if (page.other === index) page.other = null;
  }
  page.picking = false;
  showAll();
}

function showAll() {
  for (const grid of document.querySelectorAll("#samples .grid")) mark(grid, page.chosen, page.other);
  const way = page.other !== null;
  find("chosen").textContent = `Sample ${page.chosen + 1}` + (way ? ` on the way to ${page.other + 1}` : "");
  find("other").ariaPressed = String(page.picking);
  find("other").textContent = page.picking ? "Now press a sample" : "Choose the other end";
  find("way").hidden = !way;
  find("share").value = page.share;
  find("near").replaceChildren();
  for (const side of page.sides) side.over = {};
  for (const [number, slider] of [...find("sliders").children].entries()) {
    slider.querySelector("input").value = page.moves[number];
    slider.querySelector("output").textContent = page.moves[number].toFixed(1);
  }
  showLarge();
  showWay();
}

// --- The chosen sample ---

const showLarge = latest(async () => {
  const sides = page.sides.filter((side) => !isPoints(side));
  const shown = figures(find("large"), sides);
  for (const side of page.sides) {
    const drawn = await draw(side, [place()]);
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
    caption(figure, side, name);
  }
});

const showWay = latest(async () => {
  if (page.other === null) return find("strips").replaceChildren();
  const strips = [];
  for (const side of page.sides) {
    const drawn = await draw(side, wayPlaces(isPoints(side) ? WAY_POINTS : STEPS));
    if (isPoints(side)) {
      side.over.way = drawn.points;
      showPlane(side);
      continue;
    }
    const strip = element("div", { className: `strip ${side.mark}` });
    cells(strip, drawn.images, [], (step) => {
      page.share = step / (STEPS - 1);
      find("share").value = page.share;
      showLarge();
    });
    strips.push(strip);
  }
  find("strips").replaceChildren(...strips);
});

async function findDirections() {
  const side = page.sides[0];
  find("sliders").replaceChildren();
  find("directions-said").textContent = "Directions in which images change most are being looked for…";
  const { shares } = await values("/directions", { run: side.key });
  if (side !== page.sides[0]) return;
  const things = isPoints(side) ? "points" : "images";
  find("directions-said").textContent =
    `Along these directions ${things} change most, on average; the share of all change stands beside each. Steps are standard deviations.`;
  find("sliders").replaceChildren(...shares.map((share, number) => {
    const input = element("input", { type: "range", min: -4, max: 4, step: 0.1, value: page.moves[number], ariaLabel: `direction ${number + 1}` });
    const output = element("output", { textContent: page.moves[number].toFixed(1) });
    input.addEventListener("input", () => {
      page.moves[number] = Number(input.value);
      output.textContent = page.moves[number].toFixed(1);
      showLarge();
    });
    const percent = share < 0.01 ? "<1" : Math.round(100 * share);
    return element("label", { className: "slider" }, element("span", { textContent: `${number + 1} · ${percent}%` }), input, output);
  }));
}

async function findNearest() {
  say("Looking for the nearest training images; the first time, they are read and described…");
  const rows = [];
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
    rows.push(element("div", { className: `neighbours ${side.mark}` }, ...near.images.map((source, number) =>
      element("div", { title: `training image ${near.rows[number]}` },
        element("img", { src: source, alt: `training image ${near.rows[number]}, ${near.classes[number]}` }),
        element("small", { textContent: near.classes[number] }), element("small", { textContent: near.distances[number] })))));
  }
  find("near").replaceChildren(...rows);
  say("");
}

async function save(placesOf, name) {
  const parts = page.sides.map((side) => asked(side, placesOf(side)));
  const address = URL.createObjectURL(await (await ask("/picture", { parts })).blob());
  element("a", { href: address, download: `${name}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

// --- Choosing generators ---

async function load() {
  const keys = [find("run-a").value, find("run-b").value].filter(Boolean);
  say("Loading…");
  const sides = [];
  for (const [number, key] of keys.entries()) {
    sides.push({ mark: "ab"[number], key, about: await values("/load", { run: key }), drawn: null, over: {} });
  }
  const isNewFirst = page.sides[0]?.key !== sides[0].key;
  page.sides = sides;
  if (isNewFirst) Object.assign(page, { chosen: 0, other: null, share: 0, picking: false, moves: Array(SLIDERS).fill(0) });
  showControls();
  await showSamples();
  showAll();
  if (isNewFirst) await findDirections();
}

function showControls() {
  const abouts = page.sides.map((side) => side.about);
  const classes = abouts.find((about) => about.classes.length)?.classes ?? [];
  find("label-field").hidden = !classes.length;
  options(find("label"), [{ value: "", text: "all in turn" }, ...classes.map((text, value) => ({ value, text }))], "");
  const captions = abouts.find((about) => about.takes_prompt)?.captions ?? [];
  find("prompt-field").hidden = !captions.length;
  find("captions").replaceChildren(...captions.map((value) => element("option", { value })));
  const kinds = abouts.map((about) => about.truncation.kind);
  find("truncation").disabled = kinds.every((kind) => kind === "none");
  const said = [...new Set(abouts.map((about) => about.truncation.said))].map((text) => `Truncation: ${text}`);
  const [first, second] = abouts;
  if (second && (first.latent_dim !== second.latent_dim || first.latent !== second.latent)) {
    said.push(`Latents differ (${first.latent_dim} and ${second.latent_dim} entries, ${first.latent} and ${second.latent}): the seed is the same, what it draws is not.`);
  }
  if (abouts.some((about) => about.prompt_is_latent)) said.push("A prompt takes the place of the latent: all samples of it are the same image.");
  if (abouts.some((about) => about.plane?.is_projection)) said.push("Points are projected on the plane of their modes.");
  find("said").textContent = said.join(" ");
}

async function begin() {
  const { runs, device } = await values("/runs");
  find("device").textContent = device;
  const rows = runs.map((run) => ({ value: run.key, text: run.title, off: run.problem }));
  options(find("run-a"), rows, runs.find((run) => !run.problem).key);
  options(find("run-b"), [{ value: "", text: "no other" }, ...rows], "");
  await load();
}

function again() {
  find("seed").value = page.seed = Math.floor(Math.random() * 1_000_000);
  showSamples();
  showAll();
}

find("again").addEventListener("click", again);
for (const id of ["run-a", "run-b"]) find(id).addEventListener("change", pressed(load));
find("seed").addEventListener("change", () => {
  page.seed = Math.max(0, Math.floor(Number(find("seed").value) || 0));
  find("seed").value = page.seed;
  showSamples();
  showAll();
});
for (const id of ["label", "prompt"]) find(id).addEventListener("change", () => { showSamples(); showAll(); });
find("truncation").addEventListener("input", () => {
  find("truncation-value").textContent = Number(find("truncation").value).toFixed(2);
  showSamples();
  showAll();
});
find("reset").addEventListener("click", () => { page.moves.fill(0); page.share = 0; showAll(); });
find("other").addEventListener("click", () => { page.picking = !page.picking; showAll(); });
find("leave").addEventListener("click", () => { Object.assign(page, { other: null, share: 0 }); showAll(); });
find("share").addEventListener("input", () => { page.share = Number(find("share").value); showLarge(); });
find("nearest").addEventListener("click", pressed(findNearest));
find("save").addEventListener("click", pressed(() => save((side) => samplePlaces(side), `samples-seed-${page.seed}`)));
find("save-one").addEventListener("click", pressed(() => save(() => [place()], `sample-${page.chosen + 1}-seed-${page.seed}`)));
find("save-way").addEventListener("click", pressed(() => save((side) => wayPlaces(isPoints(side) ? WAY_POINTS : STEPS), `way-seed-${page.seed}`)));
window.addEventListener("resize", () => page.sides.filter(isPoints).forEach((side) => showPlane(side)));
pressed(begin)();
