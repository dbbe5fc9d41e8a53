// The days of a feed or meter as a table of weeks: what came of each, and where nothing came at all.

import { el } from "./dom.js";
import { KINDS, kindOf } from "./kinds.js";
import { counted } from "./numbers.js";
import { changed, plusDays } from "./state.js";
import { dayText } from "./when.js";

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const monday = (day) => plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));

/** The kinds of all those days: [day, kind, row]. */
export function judged(days, rows, first) {
  const byDay = new Map(rows.map((row) => [row.local_date, row]));
  return days.map((day) => [day, kindOf(byDay.get(day), day, first), byDay.get(day)]);
}

/** `whose` has the feed and direction that a day leads to; days without a row are alike for a whole week. */
export function calendar(state, name, whose, days) {
  const body = el("tbody");
  let quiet = [];
  function endSilence() {
    if (quiet.length) body.append(silence(quiet));
    quiet = [];
  }
  for (const [start, week] of Map.groupBy(days, ([day]) => monday(day))) {
    const kinds = new Set(week.map(([, kind]) => kind));
    const kind = [...kinds][0];
    // A long silence is one line, not a screen of signs.
    if (kinds.size === 1 && (kind === "nothing" || kind === "before")) {
      if (quiet.length && quiet[0].kind !== kind) endSilence();
      quiet.push({ kind, first: week[0][0], last: week.at(-1)[0], days: week.length });
      continue;
    }
    endSilence();
    const byDay = new Map(week.map((each) => [each[0], each]));
    const cells = WEEKDAYS.map((_, n) => el("td", {}, cell(state, whose, byDay.get(plusDays(start, n)))));
    body.append(el("tr", {}, el("th", { scope: "row" }, dayText(start)), ...cells));
  }
  endSilence();
  const heads = ["Week of", ...WEEKDAYS].map((text) => el("th", { scope: "col" }, text));
  const made = el("table", { class: "calendar" }, el("caption", {}, name), el("thead", {}, el("tr", {}, ...heads)), body);
  return el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": `Days of ${name}` }, made);
}

function silence(weeks) {
  const { kind, first } = weeks[0];
  const days = weeks.reduce((sum, week) => sum + week.days, 0);
  const words = `${KINDS[kind][0]} ${counted(days, "day")}, ${dayText(first)} to ${dayText(weeks.at(-1).last)}: ${KINDS[kind][1]}`;
  return el("tr", {}, el("td", { colspan: 8, class: `silence ${kind}` }, words));
}

function cell(state, whose, judgement) {
  if (!judgement) return "";
  const [day, kind, row] = judgement;
  const [sign, words] = KINDS[kind];
  const date = el("span", { class: "date" }, String(Number(day.slice(8))));
  if (!row) return el("span", { class: `day ${kind}`, title: `${dayText(day)}: ${words}` }, date, el("span", {}, sign), kind === "nothing" ? el("small", {}, "nothing") : undefined);
  const received = `${row.intervals_received.toLocaleString("en")} of ${row.intervals_expected.toLocaleString("en")}`;
  const label = `${day}: ${words}, ${received} intervals`;
  const parts = [date, el("span", {}, sign), el("small", {}, received)];
  return el("a", { href: changed(state, { day, ...whose }), class: `day ${kind}`, "aria-label": label, title: label }, ...parts);
}
