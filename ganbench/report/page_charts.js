/* Charts of report.html close up where variants are hidden: rows move up, and panels move along. */
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const edges = (axes) => {
    const [left, , bottom, top] = axes.dataset.axes.split(" ").map(Number);
    return { left, bottom, top };
  };
  const shorten = (svg, by) => {
    const [left, top, width, height] = (svg.dataset.box ??= svg.getAttribute("viewBox")).split(" ").map(Number);
    svg.setAttribute("viewBox", `${left} ${top} ${width} ${height - by}`);
  };

  // --- One row per variant: the height of hidden rows is taken out of every coordinate

  const PAIR = /(-?[\d.]+) (-?[\d.]+)/g;
  const inPairs = (text, moved) => text.replace(PAIR, (_, x, y) => `${x} ${moved(Number(y))}`);
  const KINDS = [
    ["path:not(defs *)", "d", inPairs],
    ["use, text", "y", (text, moved) => moved(Number(text))],
    ["text", "transform", inPairs],
  ];

  function partsOf(svg) {
    return KINDS.flatMap(([selector, name, rewritten]) =>
      all(selector, svg).map((node) => ({ node, name, rewritten, text: node.getAttribute(name) || "" })));
  }

  function bandsOf(axes) {
    const { top, bottom } = edges(axes);
    const rows = axes.dataset.rows.split("\n");
    const height = (bottom - top) / Number(axes.dataset.count);
    return rows.map((label, place) => ({ label, from: top + place * height, to: top + (place + 1) * height }));
  }

  function closeRows(svg, chart) {
    const gone = new Set(all(".off[data-variant]", svg).map((one) => one.dataset.variant));
    const key = [...gone].join("\n");
    if (key === chart.key) return;
    chart.key = key;
    const bands = chart.bands.filter((band) => gone.has(band.label));
    const moved = (y) => {
      const above = bands.map((band) => Math.max(0, Math.min(y, band.to) - band.from));
      return Number((y - above.reduce((sum, one) => sum + one, 0)).toFixed(2));
    };
    for (const { node, name, rewritten, text } of chart.parts) {
      if (text) node.setAttribute(name, rewritten(text, moved));
    }
    for (const { node, top, bottom } of chart.clips) {
      node.setAttribute("y", moved(top));
      node.setAttribute("height", moved(bottom) - moved(top));
    }
    shorten(svg, bands.reduce((sum, band) => sum + band.to - band.from, 0));
  }

  function rowsChart(svg) {
    const axes = all("[data-rows]", svg);
    const tops = new Set();
    const first = axes.filter((one) => !tops.has(edges(one).top) && tops.add(edges(one).top));
    const clips = all("clipPath rect", svg).map((node) => {
      const top = Number(node.getAttribute("y"));
      return { node, top, bottom: top + Number(node.getAttribute("height")) };
    });
    return { bands: first.flatMap(bandsOf), parts: partsOf(svg), clips, key: "" };
  }

  // --- One panel or more per variant: those that are shown take the first places

  function panelsChart(svg) {
    const axes = all("[data-axes][data-variant]", svg);
    const byVariant = new Map();
    for (const one of axes) {
      byVariant.set(one.dataset.variant, [...(byVariant.get(one.dataset.variant) || []), one]);
    }
    const places = [...byVariant.values()].map((panels) => panels.map(edges));
    // Names of axes stay at the left while the panels behind them move
    const names = [...byVariant.values()].map((panels) => panels.flatMap((one) => all(".axis-name", one)));
    for (const name of names.flat()) axes[0].parentNode.append(name);
    const below = [];
    for (let next = axes.at(-1).nextElementSibling; next; next = next.nextElementSibling) {
      if (!next.classList.contains("axis-name")) below.push(next);
    }
    return { byVariant, places, names, below };
  }

  function closePanels(svg, { byVariant, places, names, below }) {
    const lowest = (some) => Math.max(...some.flat().map((place) => place.bottom));
    const shown = [...byVariant].filter(([, panels]) => !panels[0].classList.contains("off"));
    const own = new Map([...byVariant.keys()].map((label, at) => [label, places[at]]));
    shown.forEach(([label, panels], at) => panels.forEach((panel, row) => {
      const [from, to] = [own.get(label)[row], places[at][row]];
      panel.setAttribute("transform", `translate(${to.left - from.left} ${to.top - from.top})`);
    }));
    names.forEach((some, at) => some.forEach((name) => name.classList.toggle("off", at >= shown.length)));
    const by = shown.length ? lowest(places) - lowest(places.slice(0, shown.length)) : 0;
    for (const one of below) one.setAttribute("transform", `translate(0 ${-by})`);
    shorten(svg, by);
  }

  // --- A legend: the names that are shown move up within their column

  function legendOf(svg) {
    const entries = new Map();
    for (const mark of all("[data-variant]", svg).filter((one) => !one.closest("[data-axes]"))) {
      const entry = entries.get(mark.dataset.variant) || { marks: [] };
      const text = mark.querySelector("text");
      if (text) Object.assign(entry, { x: text.getAttribute("x"), y: Number(text.getAttribute("y")) });
      entry.marks.push(mark);
      entries.set(mark.dataset.variant, entry);
    }
    const columns = new Map();
    for (const entry of entries.values()) columns.set(entry.x, [...(columns.get(entry.x) || []), entry]);
    return [...columns.values()];
  }

  function closeLegend(_svg, columns) {
    for (const column of columns) {
      const shown = column.filter((entry) => !entry.marks[0].classList.contains("off"));
      shown.forEach((entry, at) => entry.marks.forEach((mark) => {
        mark.setAttribute("transform", `translate(0 ${column[at].y - entry.y})`);
      }));
    }
  }

  const charts = all(".chart svg").map((svg) => {
    if (svg.querySelector("[data-rows]")) return [svg, closeRows, rowsChart(svg)];
    if (svg.querySelector("[data-axes][data-variant]")) return [svg, closePanels, panelsChart(svg)];
    return [svg, closeLegend, legendOf(svg)];
  });

  // --- No chart is scaled anew, so each says which of its variants are hidden

  const MOST_NAMED = 3;
  function hiddenText(figure) {
    if (!figure.querySelector("svg")) {
      return document.querySelector("[data-choice]:not(:checked)") || document.getElementById("filter").value.trim()
        ? "This chart is a picture, which shows hidden variants too." : "";
    }
    const gone = new Set(all("svg .off[data-variant]", figure).map((one) => one.dataset.variant));
    if (!gone.size) return "";
    const names = gone.size > MOST_NAMED ? `${gone.size} variants` : [...gone].join(", ");
    return `Hidden: ${names}. The axes are those of all variants.`;
  }

  const figures = all(".chart");
  const closeUp = () => {
    charts.forEach(([svg, close, chart]) => close(svg, chart));
    for (const figure of figures) figure.querySelector(".gone").textContent = hiddenText(figure);
  };
  document.addEventListener("variants", closeUp);
  closeUp();
})();
