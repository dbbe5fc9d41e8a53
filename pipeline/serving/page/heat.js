// Heat map: local days by half hours of the local clock. For the repeated ones in autumn the sum is shown.

import * as api from "./api.js";
import { draw, heatScale, place } from "./chart.js";
import * as clock from "./clock.js";
import { capital, figures, note } from "./dom.js";
import { download } from "./download.js";
import { decimal, exactly, listed, micro, short } from "./numbers.js";
import { daysBetween, elsewhere, mainDirection, plusDays } from "./state.js";
import { clockText as momentText, day as dayOf, dayText, spanText } from "./when.js";

async function asked({ state, feed, days, signal }, direction) {
  const range = { from: days.from, to: plusDays(days.to, 1), feed: feed.name, direction };
  if (!state.meter) return { ...(await api.rows("aggregates/half-hour", range, signal)), value: "energy_kwh", step: 30 };
  for (const [granularity, step] of [["half_hour", 30], ["hour", 60]]) {
    const found = await api.rows(api.meterPath(state.meter, "readings"), { ...range, granularity }, signal);
    if (found.data.length || step === 60) return { ...found, value: "consumption", step };
  }
  return undefined;
}

export async function render(context) {
  const { state, feed, days } = context;
  // A map shows one direction: sums of import and export would be meaningless.
  const direction = state.direction ?? mainDirection(feed);
  const of = state.meter ? `meter ${state.meter}` : feed.name;
  const heading = `Half hours of ${of}, by day`;
  const { data, cut, value, step } = await asked(context, direction);
  if (!data.length) {
    const hint = feed.halfHours || state.meter ? "" : ` Readings of ${feed.name} are longer than half an hour: name a meter to see its hours.`;
    return context.show(heading, `There are no readings of ${of} (${direction}) ${spanText(days.from, days.to)}.${hint}`);
  }
  const map = cells(data, value, step);
  const summary = sentence(map, of, direction, step);
  const where = place(summary, "heat");
  where.style.setProperty("--rows", map.days.length);
  const notes = [note(`Times are those of ${feed.zone}'s clock.`, ...turns(map))];
  if (cut) notes.push(note("Only the first days are shown: choose fewer."));
  const columns = [["Day", (row) => dayOf(row.day), "when"], ...map.slots.map((slot) => [slot, (row) => row.value(slot), "number"])];
  const behind = (day) => elsewhere({}, "deliveries", { feed: data[0].feed, day });
  const lines = map.days.map((day) => ({ day, value: (slot) => (map.found.has(`${day} ${slot}`) ? exactly(map.sum(day, slot), "kWh", behind(day)) : map.text(day, slot)) }));
  context.show(heading, summary, ...notes, where, figures(`${of}, ${direction}, kWh`, columns, lines), download(heading, data));
  const texts = map.days.map((day) => map.slots.map((slot) => [dayText(day), map.text(day, slot).replace(/^[-0-9.]+/, "$& kWh")]));
  await draw(where, [{
    type: "heatmap", x: map.slots, y: map.days, customdata: texts, xgap: 1, ygap: 1,
    z: map.days.map((day) => map.slots.map((slot) => (map.found.has(`${day} ${slot}`) ? Number(map.sum(day, slot)) : null))),
    colorscale: heatScale(), colorbar: { title: { text: "kWh" }, thickness: 12, outlinewidth: 0 },
    hovertemplate: "%{customdata[0]} %{x}<br>%{customdata[1]}<extra></extra>", hoverongaps: false,
  }], {
    xaxis: { type: "category", fixedrange: true, showgrid: false, nticks: Math.max(4, Math.floor(where.clientWidth / 70)) },
    yaxis: { type: "category", autorange: "reversed", fixedrange: true, showgrid: false, ...dayLabels(map.days, where) },
  });
}

/** As many days as have room, by their short names. */
function dayLabels(days, where) {
  const every = Math.ceil(days.length / Math.max(2, Math.floor(where.clientHeight / 22)));
  const shown = days.filter((_, n) => n % every === 0);
  return { tickmode: "array", tickvals: shown, ticktext: shown.map(dayText) };
}

/** Values by day and slot of the clock: most slots have one, repeated ones two, skipped ones none. */
function cells(rows, value, step) {
  const found = Map.groupBy(rows, (row) => `${row.local_date} ${clock.time(row.interval_start)}`);
  const regular = Array.from({ length: 1440 / step }, (_, n) => clockText(n * step));
  const slots = [...new Set([...regular, ...rows.map((row) => clock.time(row.interval_start))])].sort();
  const days = daysBetween(rows[0].local_date, rows.at(-1).local_date);
  const passed = passedOver(rows, step);
  const sum = (day, slot) => decimal(found.get(`${day} ${slot}`).reduce((total, row) => total + micro(row[value]), 0n));
  function text(day, slot) {
    const key = `${day} ${slot}`;
    if (!found.has(key)) return passed.has(key) ? "no such time" : "";
    return found.get(key).length > 1 ? `${sum(day, slot)} (twice)` : sum(day, slot);
  }
  return { found, slots, days, passed, sum, text };
}

const clockText = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const clockMinutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3, 5));

/** Slots that the clock skipped: between two readings without a gap when the clock went forward. */
function passedOver(rows, step) {
  const passed = new Set();
  rows.slice(1).forEach((row, n) => {
    const [before, after] = [rows[n].interval_start, row.interval_start];
    if (clock.at(after) - clock.at(before) !== step * 60_000 || row.local_date !== rows[n].local_date) return;
    for (let slot = clockMinutes(clock.time(before)) + step; slot < clockMinutes(clock.time(after)); slot += step) {
      passed.add(`${row.local_date} ${clockText(slot)}`);
    }
  });
  return passed;
}

function turns(map) {
  const twice = [...map.found].filter(([, rows]) => rows.length > 1).map(([key]) => key);
  const said = [];
  if (twice.length) said.push(` The clock shows these twice, here as a sum: ${listed(twice.map(momentText))}.`);
  if (map.passed.size) said.push(` The clock skips these, so they are empty: ${listed([...map.passed].map(momentText))}.`);
  return said;
}

function sentence(map, of, direction, step) {
  const keys = [...map.found.keys()];
  const values = keys.map((key) => [key, micro(map.sum(...key.split(" ")))]);
  const top = values.reduce((best, each) => (each[1] > best[1] ? each : best));
  const least = values.reduce((best, each) => (each[1] < best[1] ? each : best));
  const what = step === 60 ? "hours" : "half hours";
  const when = spanText(map.days[0], map.days.at(-1)).replace(/^(from|on) /, "");
  const said = ([key, value]) => `${short(decimal(value))} kWh on ${dayText(key)} at ${key.slice(11)}`;
  return `${capital(of)} (${direction}), ${when}, ${what} of the clock: the most is ${said(top)}, the least ${said(least)}.`;
}
