// One delivery: its verdict and why, what to do next, the rows that did not pass, the response, its neighbours.

import * as api from "./api.js";
import { capital, el, link, note, prose, section, table } from "./dom.js";
import { download } from "./download.js";
import { count, counted } from "./numbers.js";
import { changed, elsewhere } from "./state.js";
import { statusOf } from "./status.js";
import { clockText, day, inZone, moment } from "./when.js";

const MOST_REJECTED = 1000;
const SHOWN_DAYS = 12;
const SHOWN_ABOVE = new Set(["rejected_rows", "rejected_rows_left_out", "as_of", "responses", "neighbours", "next_step"]);
const RELATIONS = { number_before: "Generation before", number_after: "Generation after", before: "Received before", after: "Received after" };

export async function render(context) {
  const { state, signal } = context;
  const found = await api.one(`files/${encodeURIComponent(state.file)}`, { limit: MOST_REJECTED }, signal);
  const name = found.relative_path ?? found.file_name;
  const back = el("p", {}, link(changed(state, { file: undefined }), "All deliveries"));
  context.show(name, `Delivery ${found.file_id} of ${found.feed}, received ${clockText(inZone(found.received_at))}.`, back,
    verdict(found),
    found.next_step ? section("What to do next", el("p", {}, ...prose(found.next_step))) : undefined,
    ...rejected(found),
    section("Response to the sender", ...responses(found)),
    section("Neighbours", ...neighbours(state, found)),
    everything(found));
}

function verdict(found) {
  const loaded = found.status === "loaded";
  const read = counted(found.rows_read ?? 0, "row");
  const refused = found.rows_rejected ?? 0;
  const passed = refused ? `${(found.rows_accepted ?? 0).toLocaleString("en")} of ${read} passed, ${refused.toLocaleString("en")} did not.` : `All ${read} passed.`;
  const why = found.reason ? [`${capital(found.reason).replace(/[.]$/, "")}. `] : [];
  const words = loaded ? [passed] : [...why, OUTCOME[found.status] ?? ""];
  const code = found.reason_code ? [" ", el("code", {}, found.reason_code)] : [];
  const kind = loaded && refused ? "partial" : found.status;
  return el("p", { class: `verdict ${kind}` }, statusOf(found.status), el("span", {}, ...words, ...code));
}

const OUTCOME = {
  rejected: "Nothing of it was loaded.",
  conflict: "Nothing of it was loaded; what was loaded before still counts.",
  duplicate: "The same bytes were loaded before, so there was nothing to do.",
  withdrawn: "It no longer counts.",
};

function rejected(found) {
  const rows = found.rejected_rows;
  if (!rows.length) return [];
  const columns = [
    ["Row", (row) => String(row.row_number), "number"], ["Why", (row) => el("span", {}, capital(row.reason), " ", el("code", {}, row.reason_code)), "wide"],
    ["Meter", (row) => row.meter_id ?? ""], ["As received", (row) => el("code", { class: "raw" }, row.raw ?? ""), "wide"],
  ];
  const more = found.rejected_rows_left_out ? note(`${counted(found.rejected_rows_left_out, "more row")} did not pass and are not shown.`) : undefined;
  const heading = "Rows that did not pass";
  return [section(heading, table(heading, columns, rows), more, download(`rejected-rows-of-${found.file_id}`, rows))];
}

/** The days that its readings are of, each with its load. */
function days(found) {
  const dates = found.local_dates ?? [];
  if (!dates.length) return undefined;
  const shown = dates.slice(0, SHOWN_DAYS).flatMap((date, n) => [n ? ", " : "", link(elsewhere({}, "load", { feed: found.feed, from: date, to: date }), day(date))]);
  const more = dates.length > SHOWN_DAYS ? [` and ${counted(dates.length - SHOWN_DAYS, "more day")}, the last `, day(dates.at(-1))] : [];
  return el("p", {}, "Its readings are of ", ...shown, ...more, ".");
}

function responses(found) {
  if (!found.responses.length) return [note("None was written: its feed does not ask for responses, or it is not yet due.")];
  return found.responses.map((each) => el("p", {}, el("code", { class: "raw" }, each.response_name), " says ", statusOf(each.status), ", written ", moment(each.written_at)));
}

function neighbours(state, found) {
  const gaps = gapsOf(found);
  const rows = found.neighbours;
  if (!rows.length) return [note("It is the only delivery of its feed.")];
  const columns = [
    ["Which", (row) => RELATIONS[row.relation]],
    ["Delivery", (row) => link(changed(state, { file: row.file_id }), row.relative_path ?? String(row.file_id)), "wide"],
    ["Number", (row) => String(row.file_id), "number"], ["Status", (row) => statusOf(row.status)],
  ];
  return [...gaps, table("Neighbours", columns, rows)];
}

/** The sender's numbers beside this one that never came. */
function gapsOf(found) {
  const own = Number(found.generation?.slice(2));
  const prefix = found.generation?.slice(0, 2);
  const number = (n) => `${prefix}${String(n).padStart(6, "0")}`;
  return found.neighbours.filter(({ relation }) => relation.startsWith("number_")).flatMap(({ generation }) => {
    const [first, last] = [Number(generation.slice(2)), own].sort((a, b) => a - b);
    if (last - first < 2) return [];
    const missing = last - first === 2 ? number(first + 1) : `${number(first + 1)} to ${number(last - 1)}`;
    return [el("p", { class: "status rejected wrapped" }, `${missing} never came.`)];
  });
}

/** Every fact of the log, folded. */
function everything(found) {
  const list = el("dl", { class: "facts" });
  for (const [name, value] of Object.entries(found)) {
    if (SHOWN_ABOVE.has(name) || value === null || value === "" || value.length === 0) continue;
    const counts = name.startsWith("rows_") || name === "size_bytes";
    const shown = name.endsWith("_at") ? moment(value) : counts ? count(value) : Array.isArray(value) ? value.join(", ") : String(value);
    list.append(el("div", {}, el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, shown)));
  }
  return el("details", {}, el("summary", {}, "Everything else that is known of it"), days(found), list);
}
