// Deliveries and what became of them; a single one with its rejected rows.

import * as api from "./api.js";
import { el, link, note, table } from "./dom.js";
import { counted } from "./numbers.js";
import { changed } from "./state.js";

const SYMBOLS = { loaded: "✓", rejected: "✗", duplicate: "=", conflict: "≠", withdrawn: "↩" };
const MOST_REJECTED = 1000;

const status = (row) => el("span", { class: `status ${row.status}` }, `${SYMBOLS[row.status] ?? ""} ${row.status}`);

export function render(context) {
  return context.state.file ? one(context) : every(context);
}

async function every(context) {
  const { state, signal } = context;
  const { data, cut, total } = await api.rows("files", { feed: state.feed, status: state.status }, signal);
  const counts = [...Map.groupBy(data, (row) => row.status)].map(([name, rows]) => `${rows.length.toLocaleString("en")} ${name}`);
  const refusedRows = data.reduce((sum, row) => sum + (row.rows_rejected ?? 0), 0);
  const summary = total ? `${counted(total, "delivery", "deliveries")}: ${counts.join(", ")}; ${counted(refusedRows, "row")} did not pass.` : "No such deliveries.";
  const number = (name) => [(row) => String(row[name] ?? ""), "number"];
  const columns = [
    ["Delivery", (row) => link(changed(state, { file: row.file_id }), `${row.file_id} ${row.relative_path ?? row.file_name}`), "wide"],
    ["Feed", (row) => row.feed], ["Status", status],
    ["Reason", (row) => (row.reason_code ? el("span", {}, el("code", {}, row.reason_code), ` ${row.reason ?? ""}`) : (row.reason ?? "")), "wide"],
    ["Rows read", ...number("rows_read")], ["accepted", ...number("rows_accepted")], ["rejected", ...number("rows_rejected")],
    ["Received", (row) => row.received_at, "when"],
  ];
  const notes = cut ? [note(`Only the newest ${data.length.toLocaleString("en")} are shown and counted by status: choose a feed or a status.`)] : [];
  context.show("Deliveries", summary, ...notes, data.length ? table("Deliveries, newest first", columns, data) : undefined);
}

async function one(context) {
  const { state, signal } = context;
  const found = await api.one(`files/${encodeURIComponent(state.file)}`, { limit: MOST_REJECTED }, signal);
  const { rejected_rows: rejected, rejected_rows_left_out: leftOut, as_of: _, ...facts } = found;
  const heading = `Delivery ${found.file_id}: ${found.relative_path ?? found.file_name}`;
  const summary = `${found.status} from feed ${found.feed}; of ${counted(found.rows_read ?? 0, "row")} ${found.rows_accepted ?? 0} passed and ${found.rows_rejected ?? 0} did not.`;
  const list = el("dl", { class: "facts" });
  for (const [name, value] of Object.entries(facts)) {
    const text = Array.isArray(value) ? value.join(", ") : value;
    if (text !== null && text !== "") list.append(el("div", {}, el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, String(text))));
  }
  const columns = [
    ["Row", (row) => String(row.row_number), "number"], ["Meter", (row) => row.meter_id ?? ""],
    ["Reason", (row) => el("span", {}, el("code", {}, row.reason_code), ` ${row.reason ?? ""}`), "wide"],
    ["As received", (row) => el("code", { class: "raw" }, row.raw ?? ""), "wide"],
  ];
  const notes = leftOut ? [note(`${counted(leftOut, "more row")} did not pass and are not shown.`)] : [];
  const back = el("p", {}, link(changed(state, { file: undefined }), "All deliveries"));
  const rows = rejected.length ? table("Rows that did not pass", columns, rejected) : undefined;
  context.show(heading, summary, back, list, ...notes, rows);
}
