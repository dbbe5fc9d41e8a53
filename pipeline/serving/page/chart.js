// Charts by Plotly, which is fetched from this server when the first one is drawn.

import { el } from "./dom.js";

let fetched;

function plotly() {
  fetched ??= new Promise((resolve, reject) => {
    const script = el("script", { src: document.documentElement.dataset.plotly });
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      fetched = undefined;
      script.remove();
      reject(new Error("The script that draws the charts could not be fetched."));
    };
    document.head.append(script);
  });
  return fetched;
}

/** Text for Plotly, which interprets some HTML in names and labels: what looks like a tag is shown as text. */
export const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Line and bar colours of the page's light or dark scheme. */
export const palette = () => [1, 2, 3, 4, 5, 6].map((n) => colour(`--series-${n}`));
export const heatScale = () => [0, 1, 2, 3].map((n) => [n / 3, colour(`--heat-${n}`)]);

/** The label is that of the nearest time, wherever over the chart the pointer is. */
export const SNAPPING = { hovermode: "x", hoverdistance: -1 };

/** A place for a chart; `label` says what it shows. */
export const place = (label, kind = "") => el("div", { class: `chart ${kind}`, role: "img", "aria-label": label });

export async function draw(where, traces, layout) {
  const axis = { gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true };
  const { xaxis, yaxis, ...rest } = layout;
  const library = await plotly();
  if (!where.isConnected) return undefined; // another view was opened meanwhile
  const full = {
    font: { family: "system-ui, sans-serif", size: 13, color: colour("--text") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 10, r: 14, t: 12, b: 10 },
    colorway: palette(),
    hoverlabel: { bgcolor: colour("--raised"), bordercolor: colour("--line"), font: { color: colour("--text") } },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
    showlegend: traces.length > 1,
    ...rest, xaxis: { ...axis, ...xaxis }, yaxis: { ...axis, ...yaxis },
  };
  // Its own buttons are not reachable by keyboard; the page has some that are.
  await library.newPlot(where, traces, full, { displayModeBar: false, responsive: true, displaylogo: false });
  return library;
}
