// A small chart of a feed's days: a bar for each, as high as the share of intervals that came.

import { KINDS, kindOf } from "./kinds.js";
import { dayText } from "./when.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEAST] = [6, 28, 3];

function shape(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The sums of all directions of a day. */
function together(rows) {
  const total = (name) => rows.reduce((sum, row) => sum + row[name], 0);
  return { intervals_received: total("intervals_received"), intervals_expected: total("intervals_expected"), intervals_missing: total("intervals_missing") };
}

/** The days of one feed: [{ day, kind, received, expected }], whatever its directions. */
export function daysOf(rows, days, first) {
  const byDay = Map.groupBy(rows, (row) => row.local_date);
  return days.map((day) => {
    const row = byDay.has(day) ? together(byDay.get(day)) : undefined;
    return { day, kind: kindOf(row, day, first), received: row?.intervals_received ?? 0, expected: row?.intervals_expected ?? 0 };
  });
}

function bar({ day, kind, received, expected }, n) {
  const share = expected ? received / expected : 1;
  const height = kind === "before" ? 1 : Math.max(LEAST, Math.round(share * HEIGHT));
  const said = expected ? `${received.toLocaleString("en")} of ${expected.toLocaleString("en")} intervals` : KINDS[kind][1];
  const where = { class: `bar ${kind}`, x: n * WIDTH, y: HEIGHT - height, width: WIDTH - 1, height };
  return shape("rect", where, shape("title", {}, `${dayText(day)}: ${said}`));
}

export function spark(days, label) {
  const size = { viewBox: `0 0 ${days.length * WIDTH} ${HEIGHT}`, width: days.length * WIDTH, height: HEIGHT };
  return shape("svg", { class: "spark", role: "img", "aria-label": label, ...size }, ...days.map(bar));
}
