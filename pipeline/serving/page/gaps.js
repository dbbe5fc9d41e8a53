// The gaps of a day: the meters that have some, then the missing intervals of one meter.

import * as api from "./api.js";
import { el, link, note, table } from "./dom.js";
import { download } from "./download.js";
import { count, counted, listed } from "./numbers.js";
import { changed, elsewhere, plusDays } from "./state.js";
import * as when from "./when.js";

export async function meters(context) {
  const { state, signal } = context;
  const asked = { from: state.day, to: plusDays(state.day, 1), feed: state.feed, direction: state.direction };
  const { data, cut, total } = await api.rows("aggregates/gaps", asked, signal);
  const deliveries = state.feed && link(elsewhere({}, "deliveries", { feed: state.feed, day: state.day }), "The deliveries of this day");
  const ways = el("p", {}, link(changed(state, { day: undefined }), "All days"), ...(deliveries ? [" · ", deliveries] : []));
  const turns = when.changes(data.flatMap((row) => [row.first_missing, row.last_missing]));
  const columns = [
    ["Meter", (row) => link(changed(state, { meter: row.meter_id, feed: row.feed, direction: row.direction }), row.meter_id)],
    ["Feed", (row) => row.feed], ["Direction", (row) => row.direction],
    ["Missing", (row) => count(row.intervals_missing), "number"], ["Received", (row) => count(row.intervals_received), "number"],
    ["First missing", (row) => when.start(row.first_missing, turns), "when"], ["Last missing", (row) => when.start(row.last_missing, turns), "when"],
  ];
  const day = when.dayText(state.day);
  const heading = `Meters with gaps on ${day}`;
  const whose = [state.feed, state.direction].filter(Boolean).join(", ") || "all feeds";
  const summary = total ? `${counted(total, "meter")} of ${whose} ${total === 1 ? "has" : "have"} missing intervals on ${day}.` : `Nothing is missing of ${whose} on ${day}.`;
  const notes = cut ? [note(`Only the first ${counted(data.length, "meter")} are shown.`)] : [];
  context.show(heading, summary, ways, ...notes, download(heading, data), data.length ? table(heading, columns, data) : undefined);
}

export async function intervals(context) {
  const { state, signal } = context;
  const asked = { from: state.day, to: plusDays(state.day, 1), feed: state.feed, detail: "interval" };
  const { data, cut } = await api.rows(api.meterPath(state.meter, "completeness"), asked, signal);
  const rows = data.filter((row) => !state.direction || row.direction === state.direction);
  const day = when.dayText(state.day);
  const heading = `Missing intervals of meter ${state.meter} on ${day}`;
  const turns = when.changes(rows.map((row) => row.interval_start));
  const columns = [
    ["Start", (row) => when.start(row.interval_start, turns), "when"], ["Minutes", (row) => count(row.interval_minutes), "number"],
    ["Feed", (row) => row.feed], ["Direction", (row) => row.direction], ["Expected by", (row) => WHY[row.expected_by] ?? row.expected_by],
  ];
  const ways = el(
    "p", {}, link(changed(state, { meter: undefined }), `All meters on ${day}`), " · ",
    link(changed(state, { day: undefined, meter: undefined }), "All days"), " · ",
    link(elsewhere(state, "load", { from: state.day, to: state.day }), "Its readings of the day"),
  );
  const notes = cut ? [note("Only the first of them are shown.")] : [];
  const made = rows.length ? table(heading, columns, rows) : undefined;
  context.show(heading, sentence(rows), ways, ...notes, download(heading, rows), made);
}

const WHY = { history: "its readings of the week before", agreement: "its agreement" };

function sentence(rows) {
  if (!rows.length) return "Nothing is missing of it on this day.";
  const why = [...new Set(rows.map((row) => WHY[row.expected_by] ?? row.expected_by))];
  return `${counted(rows.length, "interval is", "intervals are")} missing; they were expected by ${listed(why)}.`;
}
