// What became of a delivery, as a word with a sign.

import { el } from "./dom.js";

const SIGNS = { loaded: "✓", rejected: "✗", duplicate: "=", conflict: "≠", withdrawn: "↩" };

export const statusOf = (name) => el("span", { class: `status ${name}` }, `${SIGNS[name] ?? ""} ${name}`);
export const status = (row) => statusOf(row.status);
