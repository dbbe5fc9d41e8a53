// Load: a feed's half hours or a meter's readings over time: a day of 23 or 25 hours has its true length.

import * as api from "./api.js";
import { SNAPPING, draw, place } from "./chart.js";
import * as clock from "./clock.js";
import { capital, el, figures, link, note } from "./dom.js";
import { download } from "./download.js";
import { count, counted, exactly, most, short, sum } from "./numbers.js";
import { elsewhere, plusDays } from "./state.js";
import * as when from "./when.js";
import { zooming } from "./zoom.js";

const GRAINS = { half_hour: "half hour", hour: "hour", day: "day", raw: "reading" };

/** The request to the API, and how to read its rows. */
function question({ state, feed, days }) {
  const range = { from: days.from, to: plusDays(days.to, 1), feed: feed.name, direction: state.direction };
  if (state.meter) {
    const granularity = state.grain ?? "raw";
    const path = api.meterPath(state.meter, "readings");
    return { path, asked: { ...range, granularity }, value: "consumption", of: `meter ${state.meter}`, one: GRAINS[granularity] ?? "sum" };
  }
  if (feed.halfHours) return { path: "aggregates/half-hour", asked: range, value: "energy_kwh", of: feed.name, one: "half hour" };
  return { path: "aggregates/feed-day", asked: range, value: "energy_kwh", of: feed.name, one: "day" };
}

export async function render(context) {
  const asks = question(context);
  const { data, cut } = await api.rows(asks.path, asks.asked, context.signal);
  const byDay = asks.path === "aggregates/feed-day";
  // A day without readings is missing, not zero: it is left out here and shown in completeness.
  const rows = byDay ? data.filter((row) => row.intervals_received > 0) : data;
  const heading = `Load of ${asks.of}`;
  if (!rows.length) return context.show(heading, `There are no readings of ${asks.of} ${when.spanText(asks.asked.from, context.days.to)}.`);
  const start = byDay ? (row) => `${row.local_date}T00:00:00Z` : (row) => row.interval_start;
  const summary = sentence(context, asks, rows, byDay ? (row) => `on ${when.dayText(row.local_date)}` : (row) => `on ${when.dayText(row.interval_start)} at ${clock.time(row.interval_start)}`);
  const where = place(summary, "tall");
  const instants = [...new Set(rows.map(start))];
  const [first, last] = span(rows.map((row) => clock.at(start(row))), byDay ? 0.6 * 86_400_000 : 1_800_000);
  const most = () => Math.max(3, Math.floor(where.clientWidth / 75));
  const zoom = zooming(context, first, last, (begin, end) => (byDay ? clock.dayTicks : clock.ticks)(instants, begin, end, most()));
  context.show(heading, summary, ...notes(context, asks, byDay, cut, rows.length), where, zoom.bar, table(asks, rows, byDay), download(heading, rows));
  const library = await draw(where, traces(rows, asks.value, start, byDay), {
    xaxis: { type: "date", ...zoom.layout() },
    yaxis: { title: { text: units(rows, asks) }, rangemode: "tozero", fixedrange: true },
    dragmode: "zoom",
    ...SNAPPING,
  });
  if (library) zoom.attach(library, where);
}

/** From the first to the last, with at least this margin. */
const span = (instants, least) => {
  const [first, last] = [instants[0], instants.at(-1)];
  const edge = Math.max((last - first) * 0.01, least);
  return [first - edge, last + edge];
};
const units = (rows, asks) => (asks.value === "energy_kwh" ? "kWh" : [...new Set(rows.map((row) => row.unit))].join(", "));

/** One line for each direction (and unit), interrupted where readings are missing. */
function traces(rows, value, start, byDay) {
  const groups = Map.groupBy(rows, (row) => [row.direction, row.unit].filter(Boolean).join(", "));
  return [...groups].map(([name, members]) => {
    const instants = members.map((row) => clock.at(start(row)));
    const step = Math.min(...instants.slice(1).map((instant, n) => instant - instants[n]), Infinity);
    const [x, y, customdata] = [[], [], []];
    members.forEach((row, n) => {
      if (n && !byDay && instants[n] - instants[n - 1] > step) [x, y, customdata].forEach((list) => list.push(null));
      x.push(instants[n]);
      y.push(Number(row[value]));
      const at = byDay ? when.dayText(row.local_date) : `${when.clockText(row.interval_start)} (UTC${clock.offset(row.interval_start)})`;
      customdata.push([at, row[value]]);
    });
    const unit = members[0].unit ?? "kWh";
    const hovertemplate = `%{customdata[0]}<br>%{customdata[1]} ${unit}<extra></extra>`;
    const form = byDay ? { type: "bar" } : { type: "scatter", mode: "lines+markers", line: { shape: "hv", width: 1.6 }, marker: { size: 3 } };
    return { name, x, y, customdata, hovertemplate, ...form };
  });
}

function sentence({ days }, asks, rows, start) {
  const groups = Map.groupBy(rows, (row) => [row.direction, row.unit ?? "kWh"].join(" "));
  const parts = [...groups].map(([, members]) => {
    const [{ direction, unit = "kWh" }, top] = [members[0], most(members, asks.value)];
    const total = sum(members.map((row) => row[asks.value]));
    return `${short(total)} ${unit} of ${direction} in ${counted(members.length, asks.one)}, the most ${start(top)} with ${short(top[asks.value])} ${unit}`;
  });
  return `${capital(asks.of)}, ${when.spanText(days.from, days.to).replace(/^(from|on) /, "")}: ${parts.join("; ")}.`;
}

function notes({ feed }, asks, byDay, cut, count) {
  const made = [];
  if (cut) made.push(note(`Only the first ${counted(count, "row")} are shown: choose fewer days.`));
  if (byDay) made.push(note(`Readings of ${feed.name} are longer than half an hour, so its days are shown; name a meter for its readings.`));
  else made.push(note(`Times are those of ${feed.zone}. Drag over the chart to zoom, double-click to go back.`));
  return made;
}

function table(asks, rows, byDay) {
  const delivery = (row) => link(elsewhere({}, "deliveries", { file: row.file_id }), String(row.file_id));
  // A reading has one delivery; a sum has those with a reading on its day.
  const behind = (row) => elsewhere({}, "deliveries", asks.value === "consumption" && row.file_id ? { file: row.file_id } : { feed: row.feed, day: row.local_date });
  const turns = !byDay && when.changes(rows.map((row) => row.interval_start));
  const columns = byDay ? [["Day", (row) => when.day(row.local_date), "when"]] : [["Start", (row) => when.start(row.interval_start, turns), "when"]];
  columns.push(["Direction", (row) => row.direction], ["Energy", (row) => exactly(row[asks.value], row.unit ?? "kWh", behind(row)), "number"]);
  columns.push(["Unit", (row) => row.unit ?? "kWh"]);
  if ("meters" in rows[0]) columns.push(["Meters", (row) => count(row.meters), "number"]);
  if ("readings" in rows[0]) columns.push(["Readings", (row) => count(row.readings), "number"]);
  if ("quality" in rows[0]) columns.push(["Quality", (row) => row.quality ?? ""]);
  if ("file_id" in rows[0]) columns.push(["Newest delivery", delivery, "number"]);
  return el("div", {}, figures(`Load of ${asks.of}`, columns, rows));
}
