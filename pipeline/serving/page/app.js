// The page: address -> state -> view. Everything shown comes from the API; only the bearer token is kept.

import * as api from "./api.js";
import * as completeness from "./completeness.js";
import * as deliveries from "./deliveries.js";
import { el, link } from "./dom.js";
import * as filter from "./filter.js";
import * as heat from "./heat.js";
import * as load from "./load.js";
import { clear, explain } from "./problems.js";
import * as products from "./products.js";
import * as restatements from "./restatements.js";
import { elsewhere, plusDays, read, viewOf } from "./state.js";
import * as today from "./today.js";
import { moment } from "./when.js";

// `oneDirection`: of one direction. `one`: a view of one feed, by default the first with half hours. `span`: how many days it shows by default.
const VIEWS = {
  today: { title: "Today", render: today.render, fields: [] },
  load: { title: "Load", render: load.render, one: true, span: 7, fields: ["feed", "meter", "direction", "grain", "from", "to"] },
  heat: { title: "Heat map", render: heat.render, one: true, oneDirection: true, span: 28, fields: ["feed", "meter", "direction", "from", "to"] },
  products: { title: "Products", render: products.render, span: 28, fields: ["feed", "direction", "from", "to"] },
  completeness: { title: "Completeness", render: completeness.render, span: 28, fields: ["feed", "meter", "direction", "from", "to"] },
  deliveries: { title: "Deliveries", render: deliveries.render, fields: ["feed", "status"] },
  restatements: { title: "Restated", render: restatements.render, fields: ["feed", "meter", "direction", "from", "to"] },
};
const [main, title, said, place] = ["main", "heading", "said", "view"].map((id) => document.getElementById(id));
let atWork = new AbortController();

/** The feeds by name, each with the facts that all its directions share. */
async function feeds(signal) {
  const { data, asOf } = await api.rows("feeds", {}, signal);
  const found = [...Map.groupBy(data, (row) => row.feed)].map(([name, rows]) => ({
    name, zone: rows[0].time_zone, halfHours: rows[0].half_hours,
    directions: rows.map((row) => row.direction).filter(Boolean),
    first: rows.map((row) => row.first_date).filter(Boolean).sort()[0],
    last: rows.map((row) => row.last_date).filter(Boolean).sort().at(-1),
    every: rows,
  }));
  return { found, empty: Object.keys(asOf).length === 0 };
}

/** The feed that a view of one feed shows. */
async function chosen(state, every, signal) {
  const named = every.find((feed) => feed.name === state.feed);
  if (named) return named;
  // For an unknown name the API's message lists the feeds.
  if (state.feed) return { name: state.feed, directions: [], zone: "UTC", halfHours: true };
  if (state.meter) {
    const { data } = await api.one("meters", { prefix: state.meter, limit: 1 }, signal);
    const owner = data.find((row) => row.meter_id === state.meter);
    if (owner) return { ...every.find((feed) => feed.name === owner.feed), last: owner.last_date };
  }
  return every.find((feed) => feed.halfHours && feed.last) ?? every.find((feed) => feed.last) ?? every[0];
}

function daysOf(state, view, feed, every) {
  const lasts = (members) => members.map((each) => each.last).filter(Boolean).sort();
  const newest = feed?.last ?? lasts(every.filter((each) => each.name === state.feed)).at(-1) ?? lasts(every).at(-1);
  const to = state.to ?? (state.from > newest ? state.from : newest) ?? state.from;
  return { from: state.from ?? (to && plusDays(to, 1 - (view.span ?? 7))), to };
}

async function facts(signal) {
  const [meters, newest] = await Promise.all([
    api.one("meters", { limit: 1 }, signal),
    api.one("files/latest", { limit: 1 }, signal).catch((problem) => (problem.status === 404 ? undefined : Promise.reject(problem))),
  ]);
  const where = document.getElementById("facts");
  where.replaceChildren(`${meters.total.toLocaleString("en")} meters`);
  if (!newest) return;
  const name = link(elsewhere({}, "deliveries", { file: newest.file_id }), newest.relative_path ?? newest.file_name);
  where.append(" · newest delivery ", name, ` (${newest.feed}, ${newest.status}), received `, moment(newest.received_at));
}

async function render() {
  atWork.abort();
  atWork = new AbortController();
  const { signal } = atWork;
  const state = read();
  const name = viewOf(state);
  const view = VIEWS[name];
  clear();
  tabs(state, name);
  main.setAttribute("aria-busy", "true");
  said.textContent = "Loading …";
  try {
    if (!view) throw new api.Problem(404, "Not found", `There is no view ${name}: choose one of those above.`);
    const { found, empty } = await feeds(signal);
    const feed = view.one ? await chosen(state, found, signal) : undefined;
    const days = daysOf(state, view, feed, found);
    filter.fill(state, view, found, feed, days);
    if (empty || (view.span && !found.some((each) => each.last))) return await nothingYet(signal);
    facts(signal).catch(() => {}); // shown beside the view; if the view fails too, that says why
    await view.render({ state, feed, feeds: found, days, signal, show: (heading, summary, ...nodes) => signal.aborted || show(heading, summary, nodes) });
  } catch (problem) {
    if (signal.aborted) return;
    show("", "", []);
    explain(problem, render);
  } finally {
    if (!signal.aborted) main.setAttribute("aria-busy", "false");
  }
}

function show(heading, summary, nodes) {
  const lost = place.contains(document.activeElement) || document.activeElement === document.body;
  place.replaceChildren(...nodes.filter(Boolean));
  title.textContent = heading;
  said.textContent = summary;
  document.title = heading ? `${heading} · Meterlake` : "Meterlake";
  // After a link inside the view, reading continues at the top of the new one.
  if (lost && navigated) title.focus({ preventScroll: true });
}

async function nothingYet(signal) {
  const detail = await api.one("readyz", {}, signal).then(() => "There are deliveries, but none of their readings were loaded: see Deliveries for the reasons.", (problem) => problem.detail);
  show("", "", []);
  explain(new api.Problem(404, "Nothing to show yet", `${detail} Put deliveries into the landing folders and run \`main.py run\`; \`main.py demo\` creates some.`), render);
}

function tabs(state, current) {
  const list = document.getElementById("tabs");
  const made = list.children.length ? [...list.querySelectorAll("a")] : Object.values(VIEWS).map((view) => {
    const tab = el("a", {}, view.title);
    list.append(el("li", {}, tab));
    return tab;
  });
  Object.keys(VIEWS).forEach((name, n) => {
    made[n].href = elsewhere(state, name);
    if (name === current) made[n].setAttribute("aria-current", "page");
    else made[n].removeAttribute("aria-current");
  });
}

let navigated = false;
function go(address) {
  navigated = true;
  history.pushState(null, "", address);
  render();
}

document.addEventListener("click", (event) => {
  const target = event.target.closest?.('a[href^="?"]');
  if (!target || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(target.getAttribute("href"));
});
window.addEventListener("popstate", render);
// Charts keep the colours of the scheme they were drawn in.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
filter.listen(go);
render();
