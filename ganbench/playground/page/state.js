// What is chosen on the page, and asking the server for what follows from it.

import { find } from "/show.js";

const IMAGES = 24, POINTS = 1000, STEPS = 9, POINT_STEPS = 60;
export const LAST_STEP = STEPS - 1;
export const page = {
  sides: [], // of one or two generators: {mark, key, about, drawn, over}
  seed: 0, chosen: 0, other: null, share: 0, moves: [], picking: false,
};

// --- Asking ---

export async function ask(path, body) {
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

export const values = async (path, body) => (await ask(path, body)).json();

export function say(text, isBad = false) {
  find("message").textContent = text;
  find("message").classList.toggle("bad", isBad);
}

// Runs a task again if it was asked for while it ran: a slider that moves asks for its last place.
export function latest(task) {
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

export const pressed = (task) => async () => {
  try {
    await task();
  } catch (error) {
    say(error.message, true);
  }
};

// --- What is asked for ---

export const isPoints = (side) => side.about.kind === "points";
const bare = (index) => ({ seed: page.seed, index });

export function place() {
  const toward = page.other === null ? null : bare(page.other);
  return { ...bare(page.chosen), toward, share: toward ? page.share : 0, moves: page.moves };
}

export function interpolated(side) {
  const count = isPoints(side) ? POINT_STEPS : STEPS;
  const shares = Array.from({ length: count }, (_, step) => step / (count - 1));
  return shares.map((share) => ({ ...bare(page.chosen), toward: bare(page.other), share }));
}

export function samplePlaces(side) {
  return Array.from({ length: isPoints(side) ? POINTS : IMAGES }, (_, index) => bare(index));
}

export function wanted(side) {
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

export const asked = (side, places) => ({ run: side.key, places, wanted: wanted(side), along: page.sides[0].key });
export const draw = (side, places) => values("/draw", asked(side, places));
