// Products by day: stacked bars.

import * as api from "./api.js";
import { SNAPPING, draw, place, plain } from "./chart.js";
import { figures, link, note } from "./dom.js";
import { download } from "./download.js";
import { count, counted, exactly, listed, short, sum } from "./numbers.js";
import { elsewhere, plusDays } from "./state.js";
import { day, dayText, spanText } from "./when.js";

export async function render(context) {
  const { state, days, signal } = context;
  const asked = { from: days.from, to: plusDays(days.to, 1), feed: state.feed, direction: state.direction };
  const { data, cut } = await api.rows("aggregates/product-day", asked, signal);
  const heading = "Products by day";
  if (!data.length) {
    const which = state.feed ? ` of ${state.feed}` : "";
    return context.show(heading, `There are no products${which} ${spanText(days.from, days.to)}: only the feeds of the reference database have products.`);
  }
  const varies = (name) => new Set(data.map((row) => row[name])).size > 1;
  // A name has only the parts that distinguish the bars.
  const whose = ["feed", "direction"].filter(varies);
  const nameOf = (row) => [row.product, ...whose.map((name) => row[name])].join(", ");
  const groups = [...Map.groupBy(data, nameOf)].sort(([a], [b]) => (a < b ? -1 : 1));
  const shares = groups.map(([name, rows]) => `${name} ${short(sum(rows.map((row) => row.energy_kwh)))} kWh`);
  const summary = `${counted(new Set(data.map((row) => row.local_date)).size, "day")} ${spanText(days.from, days.to)}: ${listed(shares)}.`;
  const where = place(summary, "tall");
  const columns = [
    ["Day", (row) => day(row.local_date), "when"], ["Feed", (row) => row.feed], ["Direction", (row) => row.direction],
    ["Product", (row) => row.product], ["Meters", (row) => count(row.meters), "number"],
    ["kWh", (row) => exactly(row.energy_kwh, "kWh", elsewhere({}, "deliveries", { feed: row.feed, day: row.local_date })), "number"],
    ["Newest delivery", (row) => link(elsewhere({}, "deliveries", { file: row.file_id }), String(row.file_id)), "number"],
  ];
  const notes = [note("Energy of the meters with an agreement for the product on that day.")];
  if (cut) notes.push(note(`Only the first ${counted(data.length, "row")} are shown: choose fewer days.`));
  context.show(heading, summary, ...notes, where, figures(heading, columns, data), download(heading, data));
  const traces = groups.map(([name, rows]) => ({
    type: "bar", name: plain(name), x: rows.map((row) => row.local_date), y: rows.map((row) => Number(row.energy_kwh)),
    customdata: rows.map((row) => [row.energy_kwh, counted(row.meters, "meter"), dayText(row.local_date)]),
    hovertemplate: `${plain(name)}<br>%{customdata[2]}: %{customdata[0]} kWh of %{customdata[1]}<extra></extra>`,
  }));
  await draw(where, traces, {
    ...SNAPPING, barmode: "stack", showlegend: true, legend: { orientation: "h", x: 0, y: -0.15, yanchor: "top" },
    xaxis: { type: "date", tickformat: "%-d %b<br>%Y", ...everyDay(data), fixedrange: true },
    yaxis: { title: { text: "kWh" }, fixedrange: true },
  });
}

/** Few days: one tick each, and never one between two days. */
function everyDay(rows) {
  const days = [...new Set(rows.map((row) => row.local_date))];
  return days.length <= 10 ? { tickmode: "array", tickvals: days } : {};
}
