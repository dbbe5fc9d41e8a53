// The rows of a view as a CSV file, with every digit and instant as the API gave it.

import { el } from "./dom.js";
import { counted } from "./numbers.js";

// Names that the API still gives beside its own, for one version.
const FORMER = new Set(["total_kwh", "meterpoint_count", "meterpoint_id", "product_display_name", "date"]);

function field(value) {
  const text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180: the names of the columns, then a line for each row. */
export function csv(rows) {
  const names = Object.keys(rows[0]).filter((name) => !FORMER.has(name));
  return [names, ...rows.map((row) => names.map((name) => row[name]))].map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

const fileName = (heading) => `${heading.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 80) || "rows"}.csv`;

/** A button that downloads the rows; none if there are none. */
export function download(heading, rows) {
  if (!rows.length) return undefined;
  function save() {
    const address = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
    el("a", { href: address, download: fileName(heading) }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }
  return el("p", { class: "download" }, el("button", { type: "button", onclick: save }, `Download CSV (${counted(rows.length, "row")})`));
}
