// Restatements: values that changed after they were published, with the delivery behind each.

import * as api from "./api.js";
import { link, note, table } from "./dom.js";
import { counted } from "./numbers.js";
import { elsewhere } from "./state.js";

/** The filter's days are those of the values, and apply only if the address has them. */
function wanted(state, row) {
  if (state.meter && row.meter_id !== state.meter) return false;
  if (state.direction && row.direction !== state.direction) return false;
  return !(state.from && row.local_date < state.from) && !(state.to && row.local_date > state.to);
}

export async function render(context) {
  const { state, signal } = context;
  const { data, cut } = await api.rows("restatements", { feed: state.feed }, signal);
  const rows = data.filter((row) => wanted(state, row)).reverse();
  const tables = [...Map.groupBy(rows, (row) => row.table_name)].map(([name, members]) => `${members.length.toLocaleString("en")} in ${name}`);
  const summary = rows.length ? `${counted(rows.length, "published value")} changed: ${tables.join(", ")}.` : "No published value has changed.";
  const columns = [
    ["Table", (row) => row.table_name], ["Key", (row) => row.key, "wide"], ["Measure", (row) => row.measure],
    ["Old", (row) => row.old_value ?? "none", "number"], ["New", (row) => row.new_value ?? "none", "number"],
    ["Delivery", (row) => (row.file_id === null ? "an erasure" : link(elsewhere(state, "deliveries", { file: row.file_id }), String(row.file_id)))],
    ["Restated", (row) => row.restated_at, "when"],
  ];
  const notes = [note("Values of gold that changed after they were published, newest change first. Energy in kWh.")];
  if (cut) notes.push(note(`Only the oldest ${counted(data.length, "change")} were read: choose a feed.`));
  context.show("Restated values", summary, ...notes, rows.length ? table("Restated values", columns, rows) : undefined);
}
