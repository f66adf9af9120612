// The samples of one or two generators: images in rows, or points on their plane.

import { caption, cells, clicked, element, figures, find, mark, scatter } from "/show.js";
import { draw, isPoints, latest, page, samplePlaces, say } from "/state.js";


export const showSamples = latest(async () => {
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
      cells(grid, drawn.images, drawn.classes, (index) => page.choose(index));
      mark(grid, page.chosen, page.other);
    }
  }
  const words = [...unknown].join(", ");
  find("unknown").textContent = words && `In no caption of ${page.sides[0].about.dataset}: ${words}. The generator has never seen such a word.`;
  say("");
});

export function showPlane(side, figure = find("samples").querySelector(`figure.${side.mark}`)) {
  if (!figure || !side.drawn) return;
  figure.querySelector(".grid")?.remove();
  let canvas = figure.querySelector("canvas");
  if (!canvas) {
    figure.append((canvas = element("canvas", { ariaLabel: "points; press to choose the nearest one", role: "img" })));
    canvas.addEventListener("click", (event) => page.choose(clicked(event, side.about.plane, side.drawn.points)));
  }
  scatter(canvas, side.about.plane, side.drawn.points, side.over);
}
