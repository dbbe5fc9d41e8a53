// Restatements: values that changed after they were published, with the delivery behind each.

import * as api from "./api.js";
import { el, link, note, table } from "./dom.js";
import { download } from "./download.js";
import { counted, decimal, exactly, listed, micro } from "./numbers.js";
import { elsewhere } from "./state.js";
import { clockText, dayText, inZone, moment } from "./when.js";

// What a person calls the tables and their measures; others stay as they are.
const TABLES = {
  "gold.total_consumption_half_hour": "half hours of feeds", "gold.consumption_per_product_per_day": "products' days",
  "gold.avg_half_hour_by_product": "half hours of products", "gold.meter_day": "meters' days",
};
const MEASURES = {
  total_kwh: ["energy, kWh", "kWh"], avg_kwh: ["average, kWh", "kWh"], consumption: ["energy, kWh", "kWh"], meterpoint_count: ["meters", ""],
  intervals_received: ["intervals received", ""], intervals_expected: ["intervals expected", ""],
};

/** The filter's days are those of the values, and apply only if the address has them. */
function wanted(state, row) {
  if (state.meter && row.meter_id !== state.meter) return false;
  if (state.direction && row.direction !== state.direction) return false;
  return !(state.from && row.local_date < state.from) && !(state.to && row.local_date > state.to);
}

export async function render(context) {
  const { state, feeds, signal } = context;
  const { data, cut } = await api.rows("restatements", { feed: state.feed }, signal);
  const rows = data.filter((row) => wanted(state, row)).reverse();
  const tables = [...Map.groupBy(rows, (row) => row.table_name)].map(([name, members]) => `${members.length.toLocaleString("en")} of ${TABLES[name] ?? name}`);
  const summary = rows.length ? `${counted(rows.length, "published value")} changed: ${listed(tables)}.` : "No published value has changed.";
  const zones = new Map(feeds.map((feed) => [feed.name, feed.zone]));
  const heading = "Restated values";
  const columns = [
    ["What", (row) => what(row, zones), "wide"], ["Measure", (row) => named(row)[0]],
    ["Old", (row) => value(row, row.old_value), "number"], ["New", (row) => value(row, row.new_value), "number"],
    ["Change", change, "number"],
    ["Delivery", (row) => (row.file_id === null ? "an erasure" : link(elsewhere({}, "deliveries", { file: row.file_id }), String(row.file_id))), "number"],
    ["Restated", (row) => moment(row.restated_at), "when"],
  ];
  const notes = [note("Values that changed after they were published, newest change first.")];
  if (cut) notes.push(note(`Only the oldest ${counted(data.length, "change")} were read: choose a feed.`));
  context.show(heading, summary, ...notes, download(heading, rows), rows.length ? table(heading, columns, rows) : undefined);
}

const named = (row) => MEASURES[row.measure] ?? [row.measure, ""];
const value = (row, text) => (text === null ? "none" : exactly(text, named(row)[1]));

/** Whose value it is, in words; its table and key in full when it is pointed at. */
function what(row, zones) {
  const of = row.meter_id !== null ? `meter ${row.meter_id}` : (row.product ?? row.feed);
  const at = row.interval_start ? clockText(inZone(row.interval_start, zones.get(row.feed) ?? "UTC")) : dayText(row.local_date);
  return el("span", { title: `${row.table_name}: ${row.key}` }, `${of}, ${row.direction}, ${at}`);
}

function change(row) {
  if (row.old_value === null || row.new_value === null) return "";
  const difference = micro(row.new_value) - micro(row.old_value);
  const made = exactly(decimal(difference), named(row)[1]);
  if (difference > 0n) made.prepend("+");
  return made;
}
