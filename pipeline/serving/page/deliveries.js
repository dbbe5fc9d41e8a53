// Deliveries and what became of them. A single one: delivery.js.

import * as api from "./api.js";
import * as delivery from "./delivery.js";
import { capital, el, link, note, table } from "./dom.js";
import { download } from "./download.js";
import { count, counted, listed } from "./numbers.js";
import { changed } from "./state.js";
import { status } from "./status.js";
import { dayText, moment } from "./when.js";

export function render(context) {
  return context.state.file ? delivery.render(context) : every(context);
}

async function every(context) {
  const { state, signal } = context;
  const asked = { feed: state.feed, status: state.status, day: state.day, run_id: state.run, open: state.open };
  const { data, cut, total } = await api.rows("files", asked, signal);
  const href = (row) => changed(state, { file: row.file_id });
  const columns = [
    ["Delivery", (row) => link(href(row), row.relative_path ?? row.file_name), "wide"],
    ["Status", status],
    ["Why", (row) => (row.reason_code ? el("span", {}, capital(row.reason), " ", el("code", {}, row.reason_code)) : (row.reason ?? "")), "wide"],
    ["Feed", (row) => row.feed],
    ["Rows read", (row) => count(row.rows_read), "number"],
    ["Did not pass", (row) => count(row.rows_rejected, href(row)), "number"],
    ["Received", (row) => moment(row.received_at), "when"],
    ["Number", (row) => String(row.file_id), "number"],
  ];
  const notes = [...only(state)];
  if (cut) notes.push(note(`Only the newest ${data.length.toLocaleString("en")} are shown and counted by status: choose a feed or a status.`));
  const made = data.length ? table("Deliveries, newest first", columns, data) : undefined;
  context.show("Deliveries", sentence(data, total), ...notes, download("deliveries", data), made);
}

function sentence(data, total) {
  if (!total) return "There are no such deliveries.";
  const counts = [...Map.groupBy(data, (row) => row.status)].map(([name, rows]) => `${rows.length.toLocaleString("en")} ${name}`);
  const rejected = data.reduce((sum, row) => sum + (row.rows_rejected ?? 0), 0);
  const passed = rejected ? `${counted(rejected, "row")} of them did not pass.` : "Every row of them passed.";
  return `${counted(total, "delivery", "deliveries")}: ${listed(counts)}. ${passed}`;
}

/** What the address asks for that the form above does not show, each with a way to ask for all. */
function only(state) {
  const parts = [];
  if (state.day) parts.push(["day", `with a reading on ${dayText(state.day)}, which its numbers come from`]);
  if (state.run) parts.push(["run", `of run ${state.run}`]);
  if (state.open) parts.push(["open", "refused and not settled by a later delivery"]);
  return parts.map(([name, words]) => note(`Only deliveries ${words}. `, link(changed(state, { [name]: undefined }), "Show all")));
}
