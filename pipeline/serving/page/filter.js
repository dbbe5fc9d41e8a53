// The form above the views: filled from the address, and turned into the next address.

import * as api from "./api.js";
import { el } from "./dom.js";
import { address, mainDirection, read, viewOf } from "./state.js";

const form = document.getElementById("filter");
const field = (name) => form.elements.namedItem(name);
const DIRECTIONS = ["import", "export", "production", "consumption"];

/** The view's fields, with the address's values or the defaults that are shown. */
export function fill(state, view, feeds, feed, days) {
  for (const part of form.querySelectorAll("[data-field]")) part.hidden = !view.fields.includes(part.dataset.field);
  const names = feeds.map((each) => each.name);
  // Snapshots of the reference database are deliveries too.
  if (view.fields.includes("status")) names.push("reference");
  form.hidden = !view.fields.length || Boolean(state.file);
  choices(field("feed"), view.one ? [] : [["", "every feed"]], names, feed?.name ?? state.feed);
  const direction = state.direction ?? (view.oneDirection ? mainDirection(feed) : undefined);
  choices(field("direction"), view.oneDirection ? [] : [["", "every direction"]], DIRECTIONS, direction);
  field("meter").value = state.meter ?? "";
  field("status").value = state.status ?? "";
  field("grain").value = state.grain ?? "";
  field("grain").closest("p").hidden = !state.meter || !view.fields.includes("grain");
  field("from").value = (view.span ? days.from : state.from) ?? "";
  field("to").value = (view.span ? days.to : state.to) ?? "";
}

function choices(select, first, names, chosen) {
  // An unknown name from the address stays visible.
  const all = chosen && !names.includes(chosen) ? [...names, chosen] : names;
  select.replaceChildren(...[...first, ...all.map((name) => [name, name])].map(([value, text]) => el("option", { value }, text)));
  select.value = chosen ?? first[0]?.[0] ?? "";
}

export function listen(go) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const state = { view: viewOf(read()) };
    for (const part of form.querySelectorAll("[data-field]:not([hidden])")) state[part.dataset.field] = field(part.dataset.field).value;
    go(address(state));
  });
  let waiting;
  field("meter").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, 200);
  });
}

/** Meters that begin with the typed text; none if that fails. */
async function suggest() {
  const found = await api.one("meters", { prefix: field("meter").value, feed: field("feed").value, limit: 20 }).catch(() => ({ data: [] }));
  const names = new Set(found.data.map((row) => row.meter_id));
  document.getElementById("meters").replaceChildren(...[...names].map((name) => el("option", { value: name })));
}
