// The page: which generators, which sample, and what each control does.

import { findDirections, findNearest, save, showInterpolation, showLarge } from "/chosen.js";
import { element, find, mark, options } from "/show.js";
import { interpolated, isPoints, page, place, pressed, samplePlaces, say, values } from "/state.js";
import { showPlane, showSamples } from "/samples.js";

// --- Choosing a sample ---

function choose(index) {
  if (page.picking && index !== page.chosen) {
    page.other = index;
    page.share = 0.5;
  } else if (!page.picking) {
    page.chosen = index;
    page.moves = [];
    page.share = page.other === null ? 0 : page.share;
    if (page.other === index) page.other = null;
  }
  page.picking = false;
  showAll();
}

page.choose = choose;

function showAll() {
  for (const grid of document.querySelectorAll("#samples .grid")) mark(grid, page.chosen, page.other);
  const isInterpolated = page.other !== null;
  find("chosen").textContent = `Sample ${page.chosen + 1}` + (isInterpolated ? ` towards ${page.other + 1}` : "");
  find("other").ariaPressed = String(page.picking);
  find("other").textContent = page.picking ? "Now press a sample" : "Choose the other end";
  find("interpolation").hidden = !isInterpolated;
  find("share").value = page.share;
  for (const side of page.sides) side.over = {};
  for (const [number, slider] of [...find("sliders").children].entries()) {
    slider.querySelector("input").value = page.moves[number] ?? 0;
    slider.querySelector("output").textContent = (page.moves[number] ?? 0).toFixed(1);
  }
  showLarge();
  showInterpolation();
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
  if (isNewFirst) Object.assign(page, { chosen: 0, other: null, share: 0, picking: false, moves: [] });
  showControls();
  await showSamples();
  showAll();
  if (isNewFirst) await findDirections();
}

function showControls() {
  find("samples").classList.toggle("two", page.sides.length > 1);
  const abouts = page.sides.map((side) => side.about);
  const classes = abouts.find((about) => about.classes.length)?.classes ?? [];
  find("label-field").hidden = !classes.length;
  options(find("label"), [{ value: "", text: "all in turn" }, ...classes.map((text, value) => ({ value, text }))], "");
  const captions = abouts.find((about) => about.takes_prompt)?.captions ?? [];
  find("prompt-field").hidden = !captions.length;
  find("captions").replaceChildren(...captions.map((value) => element("option", { value })));
  const isImage = abouts.some((about) => about.kind === "image");
  find("by-field").hidden = !isImage;
  find("near-title").textContent = `Nearest training ${isImage ? "images" : "points"}`;
  const kinds = abouts.map((about) => about.truncation.kind);
  find("truncation").disabled = kinds.every((kind) => kind === "none");
  const said = [...new Set(abouts.map((about) => about.truncation.said))].map((text) => `Truncation: ${text}`);
  const [first, second] = abouts;
  if (second && (first.latent_dim !== second.latent_dim || first.latent !== second.latent)) {
    said.push(`Latents differ (${first.latent_dim} and ${second.latent_dim} entries, ${first.latent} and ${second.latent}): the seed is the same, what it draws is not.`);
  }
  for (const about of abouts.filter(({ prompt_is_latent: isLatent }) => isLatent)) {
    said.push(`In ${about.title.split(" · ")[0]} a prompt takes the place of the latent: all samples of it are the same image.`);
  }
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
find("reset").addEventListener("click", () => { page.moves = []; page.share = 0; showAll(); });
find("other").addEventListener("click", () => { page.picking = !page.picking; showAll(); });
find("leave").addEventListener("click", () => { Object.assign(page, { other: null, share: 0 }); showAll(); });
find("share").addEventListener("input", () => { page.share = Number(find("share").value); showLarge(); });
find("nearest").addEventListener("click", pressed(findNearest));
find("save").addEventListener("click", pressed(() => save((side) => samplePlaces(side), `samples-seed-${page.seed}`)));
find("save-one").addEventListener("click", pressed(() => save(() => [place()], `sample-${page.chosen + 1}-seed-${page.seed}`)));
find("save-interpolation").addEventListener("click", pressed(() => save(interpolated, `interpolation-seed-${page.seed}`)));
window.addEventListener("resize", () => page.sides.filter(isPoints).forEach((side) => showPlane(side)));
pressed(begin)();
