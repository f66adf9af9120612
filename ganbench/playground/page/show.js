// What the page shows: elements, rows of images, and points over the modes of their mixture.

export const find = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function options(select, rows, value) {
  select.replaceChildren(
    ...rows.map((row) => element("option", { value: row.value, textContent: row.text, disabled: Boolean(row.off), title: row.off ?? "" })),
  );
  select.value = value;
}

// One figure per side in a container; sides that are gone take theirs with them.
export function figures(container, sides) {
  const known = new Map([...container.children].map((figure) => [figure.dataset.side, figure]));
  const wanted = sides.map((side) => {
    const figure = known.get(side.mark) ?? element("figure", { className: side.mark }, element("figcaption"));
    figure.dataset.side = side.mark;
    return figure;
  });
  container.replaceChildren(...wanted);
  return wanted;
}

export function caption(figure, side, text, isMarked = true) {
  const marks = isMarked ? [element("i", { className: `mark ${side.mark}` })] : [];
  figure.querySelector("figcaption").replaceChildren(...marks, text);
}

// Buttons with an image each, changed in place so that the keyboard's focus stays where it is.
export function cells(container, images, names, pressed) {
  while (container.children.length > images.length) container.lastChild.remove();
  images.forEach((source, index) => {
    let cell = container.children[index];
    if (!cell) {
      cell = element("button", { className: "cell", type: "button" }, element("img"), element("small"));
      cell.addEventListener("click", () => pressed(index));
      container.append(cell);
    }
    const [image, small] = cell.children;
    image.src = source;
    image.alt = "";
    small.textContent = names[index] ?? "";
    small.hidden = !names[index];
    cell.ariaLabel = `sample ${index + 1}${names[index] ? `, ${names[index]}` : ""}`;
  });
}

export function mark(container, chosen, other) {
  [...container.children].forEach((cell, index) => {
    cell.classList.toggle("chosen", index === chosen);
    cell.classList.toggle("other", index === other);
    cell.ariaPressed = String(index === chosen);
  });
}

// The plane of a mixture: modes as circles, points by quality, and what is chosen on top.
export function scatter(canvas, plane, points, over = {}) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const side = canvas.clientWidth * window.devicePixelRatio;
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  const scale = side / (2 * plane.reach);
  const at = ([x, y]) => [side / 2 + x * scale, side / 2 - y * scale];
  const unit = side / 400;
  const dot = (point, radius, fill) => {
    pen.fillStyle = fill;
    pen.beginPath();
    pen.arc(...at(point), radius * unit, 0, 2 * Math.PI);
    pen.fill();
  };
  pen.strokeStyle = colour("--muted");
  pen.lineWidth = unit;
  for (const mode of plane.modes) {
    pen.beginPath();
    pen.arc(...at(mode), Math.max(plane.radius * scale, 5 * unit), 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.globalAlpha = 0.5;
  for (const point of points) dot(point, 1.4, colour(point[2] ? "--accent" : "--second"));
  pen.globalAlpha = 1;
  if (over.path?.length) {
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = 1.5 * unit;
    pen.beginPath();
    over.path.forEach((point, index) => pen[index ? "lineTo" : "moveTo"](...at(point)));
    pen.stroke();
  }
  for (const point of over.near ?? []) {
    const [x, y] = at(point);
    pen.strokeStyle = colour("--ink");
    pen.lineWidth = unit;
    pen.strokeRect(x - 3 * unit, y - 3 * unit, 6 * unit, 6 * unit);
  }
  if (over.chosen) {
    dot(over.chosen, 5.5, colour("--ink"));
    dot(over.chosen, 3.5, colour(over.chosen[2] ? "--accent" : "--second"));
  }
}

// The place of the point nearest to a click on the plane.
export function clicked(event, plane, points) {
  const box = event.target.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width * 2 - 1) * plane.reach;
  const y = (1 - (event.clientY - box.top) / box.height * 2) * plane.reach;
  const far = points.map((point) => Math.hypot(point[0] - x, point[1] - y));
  return far.indexOf(Math.min(...far));
}
