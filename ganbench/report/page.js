/* What report.html does by itself: sort, filter, hide, unfold, copy, enlarge. It loads nothing. */
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  root.classList.remove("without-script");

  const say = (text) => {
    byId("said").textContent = text;
  };

  // --- Which variants are shown: in tables, charts and samples together

  const choices = all("[data-choice]");
  const hidden = new Set();
  const labels = choices.map((choice) => choice.dataset.choice);

  function isShown(label) {
    const words = byId("filter").value.toLowerCase().split(",").map((word) => word.trim()).filter(Boolean);
    const name = label.toLowerCase();
    return !hidden.has(label) && (!words.length || words.some((word) => name.includes(word)));
  }

  function showVariants() {
    const shown = new Map(labels.map((label) => [label, isShown(label)]));
    for (const item of all("[data-variant]")) {
      item.classList.toggle("off", shown.get(item.dataset.variant) === false);
    }
    const count = [...shown.values()].filter(Boolean).length;
    byId("count").textContent = `${count} of ${labels.length}`;
    document.dispatchEvent(new Event("variants"));
  }

  function choose(choice, isWanted) {
    choice.checked = isWanted;
    hidden[isWanted ? "delete" : "add"](choice.dataset.choice);
  }

  for (const choice of choices) {
    choice.addEventListener("change", () => {
      choose(choice, choice.checked);
      showVariants();
    });
  }
  for (const [id, isWanted] of [["all", true], ["none", false]]) {
    byId(id).addEventListener("click", () => {
      choices.forEach((choice) => choose(choice, isWanted));
      showVariants();
    });
  }
  byId("filter").addEventListener("input", showVariants);
  byId("intervals").addEventListener("change", (event) => {
    root.classList.toggle("plain", !event.target.checked);
  });
  document.addEventListener("click", (event) => {
    const menu = document.querySelector(".choose");
    if (!menu.contains(event.target)) menu.open = false;
  });
  showVariants();

  // --- Light or dark

  const isDark = () => getComputedStyle(root).colorScheme === "dark" ||
    (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  const nameTheme = () => {
    byId("theme").textContent = isDark() ? "Light" : "Dark";
  };
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  nameTheme();

  // --- Tables: sorting, and the runs of a row

  const mean = (cell) => (cell.querySelector("span") || cell.firstChild || cell).textContent.trim();

  function sortKey(cell) {
    if (!cell || cell.classList.contains("none")) return null;
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = mean(cell);
    const number = Number(text.replace(/,/g, "").split(" ")[0]);
    return text === "" ? null : Number.isNaN(number) ? text : number;
  }

  function compare(first, second) {
    if (typeof first === "number" && typeof second === "number") return first - second;
    return String(first).localeCompare(String(second));
  }

  function sort(head) {
    const place = head.cellIndex;
    const body = head.closest("table").querySelector(".variants");
    const rows = [...body.rows];
    rows.forEach((row, at) => (row.dataset.at ??= at));
    const families = [];
    for (const row of rows) {
      if (row.classList.contains("seed")) families.at(-1).push(row);
      else families.push([row]);
    }
    const isUp = head.textContent.includes("↑");
    const order = isUp ? ["descending", "ascending", null] : ["ascending", "descending", null];
    const next = order[(order.indexOf(head.getAttribute("aria-sort")) + 1) % 3];
    for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
    if (next) head.setAttribute("aria-sort", next);
    const sign = next === "descending" ? -1 : 1;
    families.sort(([first], [second]) => {
      const was = first.dataset.at - second.dataset.at;
      if (!next) return was;
      const [a, b] = [sortKey(first.cells[place]), sortKey(second.cells[place])];
      if (a === null || b === null) return (a === null) - (b === null) || was;
      return sign * compare(a, b) || was;
    });
    body.append(...families.flat());
    say(next ? `Sorted by ${head.dataset.head}, ${next}` : "In the order of the comparison");
  }

  for (const button of all(".sort")) {
    button.addEventListener("click", () => sort(button.closest("th")));
  }
  for (const button of all(".unfold")) {
    button.addEventListener("click", () => {
      const isOpen = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", isOpen);
      let row = button.closest("tr").nextElementSibling;
      for (; row && row.classList.contains("seed"); row = row.nextElementSibling) row.hidden = !isOpen;
    });
  }

  // --- Copying a table as it is shown

  function shownText(cell) {
    if (cell.classList.contains("none")) return "";
    const small = root.classList.contains("plain") ? [] : all(".spread, .interval", cell);
    return [mean(cell), ...small.map((part) => part.textContent)].join(" ").trim();
  }

  function rowsOf(table, text) {
    const rows = all("tbody tr", table).filter((row) => !row.hidden && !row.matches(".off, .seed"));
    return rows.map((row) => [...row.cells].map(text));
  }

  const SIGNS = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "&": "\\&", "%": "\\%", $: "\\$", "#": "\\#", _: "\\_",
    "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "±": "$\\pm$", "↓": "$\\downarrow$", "↑": "$\\uparrow$",
    "→": "$\\to$", "≤": "$\\leq$", "×": "$\\times$", "\u2020": "\\dag{}", "\u2021": "\\ddag{}",
  };
  const escaped = (text) => text.replace(/[\\{}&%$#_~^±↓↑→≤×\u2020\u2021]/g, (sign) => SIGNS[sign]);
  const inCsv = (text) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const notFormula = (text) => (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);

  const WRITERS = {
    csv(heads, table) {
      const rows = rowsOf(table, (cell) => cell.dataset.value ?? shownText(cell));
      return [heads, ...rows].map((row) => row.map((text) => inCsv(notFormula(text))).join(",")).join("\n") + "\n";
    },
    markdown(heads, table) {
      const line = (cells) => `| ${cells.map((text) => text.replace(/\|/g, "\\|")).join(" | ")} |`;
      const rule = heads.map((_, place) => (place ? "--:" : ":--"));
      const rows = rowsOf(table, (cell) => {
        const text = shownText(cell);
        return cell.classList.contains("best") && text ? `**${text}**` : text;
      });
      return [line(heads), `|${rule.join("|")}|`, ...rows.map(line)].join("\n") + "\n";
    },
    latex(heads, table) {
      const line = (cells) => `${cells.join(" & ")} \\\\`;
      const rows = rowsOf(table, (cell) => {
        const text = escaped(shownText(cell));
        return cell.classList.contains("best") && text ? `\\textbf{${text}}` : text;
      });
      const begin = `\\begin{tabular}{l${"r".repeat(heads.length - 1)}}`;
      return [begin, "\\toprule", line(heads.map(escaped)), "\\midrule", ...rows.map(line), "\\bottomrule",
        "\\end{tabular}"].join("\n") + "\n";
    },
  };

  function copyByHand(text) {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    return isDone;
  }

  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const table = button.closest(".table").querySelector("table");
      const heads = all("thead th", table).map((head) => head.dataset.head);
      const text = WRITERS[button.dataset.copy](heads, table);
      let isDone = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        isDone = copyByHand(text);
      }
      button.focus();
      say(isDone ? `Copied as ${button.textContent}` : "The browser does not let a page copy");
    });
  }

  // --- Samples: one slider for all variants, and one picture enlarged

  function showMoment(card, place) {
    for (const figure of all("figure[data-variant]", card)) {
      const pictures = all("img", figure);
      const shown = pictures.filter((picture) => Number(picture.dataset.place) <= place).at(-1);
      for (const picture of pictures) picture.hidden = picture !== shown;
      figure.querySelector(".frame").hidden = !shown;
      figure.querySelector(".not-yet").hidden = Boolean(shown);
      figure.querySelector(".when").textContent = shown ? shown.dataset.when : "";
    }
  }

  const dialog = byId("enlarged");
  let enlarged = null;

  function enlarge() {
    const picture = enlarged.querySelector("img:not([hidden])");
    const [name, when] = [dialog.querySelector("b"), dialog.querySelector("span")];
    name.textContent = enlarged.closest("figure").querySelector("b").textContent;
    const image = dialog.querySelector("img");
    image.style.visibility = picture ? "visible" : "hidden"; // its place stays
    when.textContent = picture ? picture.dataset.when : enlarged.nextElementSibling.textContent;
    if (picture) Object.assign(image, { src: picture.src, alt: picture.alt });
  }

  for (const frame of all(".frame")) {
    frame.addEventListener("click", () => {
      enlarged = frame;
      enlarge();
      dialog.showModal();
    });
  }
  for (const card of all(".samples")) {
    const slider = card.querySelector("input[type=range]");
    if (!slider) continue;
    const moments = slider.dataset.moments.split("|");
    const show = () => {
      const place = Number(slider.value);
      showMoment(card, place);
      card.querySelector("output").textContent = slider.ariaValueText = moments[place];
    };
    slider.addEventListener("input", show);
    show();
  }
  dialog.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const slider = enlarged?.closest(".samples").querySelector("input[type=range]");
    if (!by || !slider) return;
    slider.value = Number(slider.value) + by;
    slider.dispatchEvent(new Event("input"));
    enlarge();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  // --- Charts: what lies under the pointer

  const tip = byId("tip");
  const asNumber = (value) => Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });

  function numbersAt(event, mark) {
    const axes = mark.closest("[data-axes]");
    if (!axes) return "";
    const [x0, x1, y0, y1, xLow, xHigh, yLow, yHigh] = axes.dataset.axes.split(" ").map(Number);
    const scales = axes.dataset.scales.split(" ");
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(axes.getScreenCTM().inverse());
    const along = (share, low, high, scale) => scale === "log"
      ? low * (high / low) ** share : low + share * (high - low);
    const x = along((place.x - x0) / (x1 - x0), xLow, xHigh, scales[0]);
    const y = along((place.y - y0) / (y1 - y0), yLow, yHigh, scales[1]);
    return `: ${asNumber(y)} at ${axes.dataset.x || ""} ${asNumber(x)}`.replace(/ +/g, " ");
  }

  function titleOf(event, mark) {
    const titles = mark.dataset.title.split("\n");
    if (mark.classList.contains("series")) return titles[0] + numbersAt(event, mark);
    return titles[all("use", mark).indexOf(event.target)] ?? titles[0];
  }

  for (const chart of all(".chart svg")) {
    chart.addEventListener("pointermove", (event) => {
      const mark = event.target.closest("[data-title]");
      tip.hidden = !mark;
      chart.classList.toggle("lit", Boolean(mark));
      if (!mark) return;
      for (const item of all("[data-variant]", chart)) {
        item.classList.toggle("near", item.dataset.variant === mark.dataset.variant);
      }
      tip.textContent = titleOf(event, mark);
      const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
      tip.style.left = `${Math.max(8, left)}px`;
      tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
    });
    chart.addEventListener("pointerleave", () => {
      tip.hidden = true;
      chart.classList.remove("lit");
    });
  }
})();
