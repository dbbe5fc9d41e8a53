// Completeness: days of each feed, then the meters with gaps on a day, then the missing intervals.

import * as api from "./api.js";
import { el, link, note, table } from "./dom.js";
import { counted } from "./numbers.js";
import { changed, elsewhere, plusDays } from "./state.js";

const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const KINDS = {
  complete: ["✓", "complete"],
  partial: ["◐", "some missing"],
  absent: ["✗", "all missing"],
};

export function render(context) {
  if (context.state.day) return context.state.meter ? intervals(context) : meters(context);
  return calendars(context);
}

const kindOf = (row) => (row.intervals_missing === 0 ? "complete" : row.intervals_received > 0 ? "partial" : "absent");

async function calendars(context) {
  const { state, days, signal } = context;
  const asked = { from: days.from, to: plusDays(days.to, 1), feed: state.feed };
  const { data, cut } = state.meter
    ? await api.rows(api.meterPath(state.meter, "completeness"), asked, signal)
    : await api.rows("aggregates/feed-day", { ...asked, direction: state.direction }, signal);
  const rows = data.filter((row) => !state.direction || row.direction === state.direction);
  const heading = state.meter ? `Completeness of meter ${state.meter}` : "Completeness";
  const counts = Object.entries(KINDS).map(([kind, [, words]]) => `${rows.filter((row) => kindOf(row) === kind).length} ${words}`);
  const summary = rows.length
    ? `${counted(rows.length, "feed's day", "feeds' days")} from ${days.from} to ${days.to}: ${counts.join(", ")}.`
    : `No readings were expected from ${days.from} to ${days.to}.`;
  const key = Object.values(KINDS).map(([symbol, words]) => `${symbol} ${words}`).join("   ");
  const groups = Map.groupBy(rows, (row) => `${row.feed}, ${row.direction}`);
  const notes = [note(`${key}   · nothing expected. Choose a day to see its gaps.`)];
  if (cut) notes.push(note("Only the first days are shown: choose fewer."));
  context.show(heading, summary, ...notes, ...[...groups].map(([name, members]) => feed(state, name, members)));
}

/** A feed's weeks, as a table of days. */
function feed(state, name, rows) {
  const byDay = new Map(rows.map((row) => [row.local_date, row]));
  const body = el("tbody");
  const [first, last] = [rows[0].local_date, rows.at(-1).local_date];
  const week = (day) => plusDays(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
  let quiet = 0;
  for (let monday = week(first); monday <= last; monday = plusDays(monday, 7)) {
    const week = WEEKDAYS.map((_, n) => plusDays(monday, n));
    // A long silence is one line, not a screen of dots.
    if (!week.some((day) => byDay.has(day))) quiet += 1;
    else {
      if (quiet) body.append(silence(quiet));
      quiet = 0;
      const cells = week.map((day) => el("td", {}, byDay.has(day) ? cell(state, byDay.get(day)) : "·"));
      body.append(el("tr", {}, el("th", { scope: "row" }, monday), ...cells));
    }
  }
  const heads = ["Week of", ...WEEKDAYS].map((text) => el("th", { scope: "col" }, text));
  const made = el("table", { class: "calendar" }, el("caption", {}, name), el("thead", {}, el("tr", {}, ...heads)), body);
  return el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": `Days of ${name}` }, made);
}

const silence = (weeks) => el("tr", {}, el("td", { colspan: 8, class: "silence" }, `${counted(weeks, "week")} with nothing expected`));

function cell(state, row) {
  const [symbol, words] = KINDS[kindOf(row)];
  const received = `${row.intervals_received.toLocaleString("en")} of ${row.intervals_expected.toLocaleString("en")}`;
  const label = `${row.local_date}: ${words}, ${received} intervals`;
  const target = { day: row.local_date, feed: row.feed, direction: row.direction };
  return el(
    "a", { href: changed(state, target), class: `day ${kindOf(row)}`, "aria-label": label, title: label },
    el("span", { class: "date" }, String(Number(row.local_date.slice(8)))), el("span", {}, symbol),
    el("small", {}, received),
  );
}

async function meters(context) {
  const { state, signal } = context;
  const asked = { from: state.day, to: plusDays(state.day, 1), feed: state.feed, direction: state.direction };
  const { data, cut, total } = await api.rows("aggregates/gaps", asked, signal);
  const back = link(changed(state, { day: undefined }), "All days");
  const columns = [
    ["Meter", (row) => link(changed(state, { meter: row.meter_id, feed: row.feed, direction: row.direction }), row.meter_id)],
    ["Feed", (row) => row.feed], ["Direction", (row) => row.direction],
    ["Missing", (row) => String(row.intervals_missing), "number"], ["Received", (row) => String(row.intervals_received), "number"],
    ["First missing", (row) => row.first_missing, "when"], ["Last missing", (row) => row.last_missing, "when"],
  ];
  const heading = `Meters with gaps on ${state.day}`;
  const whose = [state.feed, state.direction].filter(Boolean).join(", ") || "every feed";
  const summary = total ? `${counted(total, "meter")} of ${whose} with missing intervals on ${state.day}.` : `Nothing is missing of ${whose} on ${state.day}.`;
  const notes = cut ? [note(`Only the first ${counted(data.length, "meter")} are shown.`)] : [];
  context.show(heading, summary, el("p", {}, back), ...notes, data.length ? table(heading, columns, data) : undefined);
}

async function intervals(context) {
  const { state, signal } = context;
  const asked = { from: state.day, to: plusDays(state.day, 1), feed: state.feed, detail: "interval" };
  const { data, cut } = await api.rows(api.meterPath(state.meter, "completeness"), asked, signal);
  const rows = data.filter((row) => !state.direction || row.direction === state.direction);
  const heading = `Missing intervals of meter ${state.meter} on ${state.day}`;
  const summary = rows.length ? `${counted(rows.length, "interval")} missing.` : "Nothing is missing of it on this day.";
  const columns = [
    ["Start", (row) => row.interval_start, "when"], ["Minutes", (row) => String(row.interval_minutes), "number"],
    ["Feed", (row) => row.feed], ["Direction", (row) => row.direction], ["Expected by", (row) => row.expected_by],
  ];
  const ways = el(
    "p", {}, link(changed(state, { meter: undefined }), `All meters on ${state.day}`), " · ",
    link(changed(state, { day: undefined, meter: undefined }), "All days"), " · ",
    link(elsewhere(state, "load", { from: state.day, to: state.day }), "Its readings of the day"),
  );
  const notes = cut ? [note("Only the first of them are shown.")] : [];
  context.show(heading, summary, ways, ...notes, rows.length ? table(heading, columns, rows) : undefined);
}
