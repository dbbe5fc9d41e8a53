// A chart's part of the time axis: by dragging, by buttons, and in the address.

import { el } from "./dom.js";
import { address } from "./state.js";

const short = (ms) => new Date(ms).toISOString().replace(/(:00)?\.000Z$/, "Z");
// Plotly writes the ends of an axis as UTC without saying so.
const instant = (end) => (typeof end === "number" ? end : Date.parse(`${String(end).replace(" ", "T")}Z`));

/** The part given in the address, if any. */
export function zoomed(state) {
  const ends = (state.zoom ?? "").split("/").map((end) => Date.parse(end));
  return ends.length === 2 && ends[0] < ends[1] ? ends : undefined;
}

/** Buttons for a chart whose data spans [first, last]; `ticks` are rebuilt for each part. */
export function zooming(context, first, last, ticks) {
  let part = zoomed(context.state);
  let plot;
  const chosen = () => part ?? [first, last];
  const layout = () => {
    const [begin, end] = chosen();
    return { range: [begin, end].map((ms) => new Date(ms).toISOString()), ...ticks?.(begin, end) };
  };

  function remember() {
    context.state.zoom = part && part.map(short).join("/");
    history.replaceState(null, "", address(context.state));
  }
  function go(begin, end) {
    part = begin <= first && end >= last ? undefined : [Math.max(begin, first - (end - begin) / 2), end];
    remember();
    const asked = Object.entries(layout()).map(([name, value]) => [`xaxis.${name}`, value]);
    plot?.library.relayout(plot.where, Object.fromEntries(asked));
  }
  function by(factor, shift) {
    const [begin, end] = chosen();
    const [middle, half] = [(begin + end) / 2 + (end - begin) * shift, ((end - begin) / 2) * factor];
    go(middle - half, middle + half);
  }
  function follow(change) {
    if (change["xaxis.autorange"]) go(first, last);
    else if (change["xaxis.range[0]"] !== undefined) go(instant(change["xaxis.range[0]"]), instant(change["xaxis.range[1]"]));
  }
  const button = (text, ...step) => el("button", { type: "button", onclick: () => by(...step) }, text);
  const whole = el("button", { type: "button", onclick: () => go(first, last) }, "Whole range");
  const bar = el(
    "div", { class: "buttons", role: "group", "aria-label": "Part of the time axis" },
    button("Zoom in", 0.5, 0), button("Zoom out", 2, 0), button("Earlier", 1, -0.5), button("Later", 1, 0.5), whole,
  );
  const attach = (library, where) => {
    plot = { library, where };
    where.on("plotly_relayout", follow);
  };
  return { bar, layout, attach };
}
