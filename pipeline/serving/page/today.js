// Today: the last run and the next one, what needs attention, what was refused and why, and each feed in a row.

import * as api from "./api.js";
import { capital, command, el, link, note, prose, section, table } from "./dom.js";
import { download } from "./download.js";
import * as feedRow from "./feed_row.js";
import { count, counted } from "./numbers.js";
import { elsewhere } from "./state.js";
import { status } from "./status.js";
import { clockText, dayText, distance, duration, inZone, moment } from "./when.js";

const MOST_REFUSED = 10;

export async function render(context) {
  const { feeds, signal } = context;
  const [run, attention, refused, deliveries] = await Promise.all([
    lastRun(signal), api.one("attention", {}, signal),
    api.one("files", { open: true, limit: MOST_REFUSED }, signal), api.rows("feeds/deliveries", {}, signal),
  ]);
  const rows = await Promise.all(deliveries.data.map((each) => feedRow.facts(each, feeds.find(({ name }) => name === each.feed), signal)));
  const wanting = attention.data.length;
  const needs = wanting ? `${counted(wanting, "thing needs", "things need")} attention.` : "Nothing needs attention.";
  context.show("Today", `${runSentence(run)} ${needs}`,
    runFacts(run),
    section("Needs attention", wanting ? el("ul", { class: "attention" }, ...attention.data.map(item)) : note("Nothing.")),
    section("Feeds", table("Feeds", feedRow.columns, rows), download("feeds", rows.map(({ exact }) => exact))),
    section("Refused deliveries", ...refusals(refused)),
    note("Times of runs and deliveries are those of your clock, days those of each feed."));
}

/** The last run, if there was one. */
const lastRun = (signal) => api.one("runs/latest", {}, signal).catch((problem) => (problem.status === 404 ? undefined : Promise.reject(problem)));

function runSentence(run) {
  if (!run) return "Nothing has run yet.";
  const ended = run.status === "succeeded" ? "succeeded" : "failed";
  const last = `The last run ${ended} ${distance(run.finished_at)}`;
  if (!run.next_due_at) return `${last}.`;
  return overdue(run) ? `${last}; the next one was due ${distance(run.next_due_at)}.` : `${last}; the next one is due ${distance(run.next_due_at)}.`;
}

const overdue = (run) => Date.parse(run.next_due_at) < Date.now();

function runFacts(run) {
  if (!run) return undefined;
  const good = run.status === "succeeded";
  const took = duration(Date.parse(run.finished_at) - Date.parse(run.started_at));
  const deliveries = count(run.files, elsewhere({}, "deliveries", { run: run.run_id }));
  const facts = [
    ["Last run", el("span", { class: `status ${good ? "loaded" : "rejected"}` }, `${good ? "✓" : "✗"} ${run.status}`), " ", moment(run.finished_at), ` (${run.command}, took ${took})`],
    ["It decided", deliveries, ` ${run.files === 1 ? "delivery" : "deliveries"}, read `, count(run.rows_read), " rows and changed ", count(run.rows_merged), " readings"],
    ["Next run", ...next(run)],
  ];
  if (!good && run.succeeded_at) facts.push(["Last that succeeded", moment(run.succeeded_at)]);
  if (run.error) facts.push(["Error", el("span", { class: "status rejected wrapped" }, run.error)]);
  return el("dl", { class: "facts run" }, ...facts.map(([name, ...value]) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value))));
}

function next(run) {
  if (!run.next_due_at) return ["not known: earlier runs have no rhythm"];
  const kind = overdue(run) ? "status rejected" : "";
  return [el("span", { class: kind }, overdue(run) ? "was due " : "due ", moment(run.next_due_at)), ", by the rhythm of earlier runs"];
}

/** Where the page shows what an item is about. */
const VIEWS = {
  late: (feed) => elsewhere({}, "completeness", { feed }),
  refused: (feed) => elsewhere({}, "deliveries", { feed, open: "true" }),
  gap_in_numbers: (feed) => elsewhere({}, "deliveries", { feed }),
};

/** The text with its days and instants as people say them; commands in it stay as they are. */
const sentence = (text) => prose(text.replace(/(at )?(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d)Z)?/g, (_, before, day, at) => {
  const said = at ? clockText(inZone(`${day}T${at}Z`)) : dayText(day);
  return before ? `on ${said}` : said;
}));

function item(each) {
  const seen = VIEWS[each.kind]?.(each.feed ?? undefined);
  const since = each.since ? ["since ", moment(each.since)] : [];
  const ways = [seen && link(seen, "Show"), each.command && command(each.command)].filter(Boolean);
  const more = [...since, ...ways.flatMap((way, n) => (n || since.length ? [" · ", way] : [way]))];
  const whose = each.feed ? [el("strong", {}, each.feed), ": "] : [];
  return el("li", { class: each.urgent ? "urgent" : undefined }, el("p", {}, ...whose, ...sentence(each.text)), more.length ? el("p", { class: "note" }, ...more) : undefined);
}

function refusals({ data, total }) {
  if (!data.length) return [note("None stands: each was settled by a later delivery or by `withdraw`.")];
  const columns = [
    ["Why", (row) => el("span", {}, capital(row.reason), " ", el("code", {}, row.reason_code)), "wide"],
    ["Delivery", (row) => link(elsewhere({}, "deliveries", { file: row.file_id }), row.relative_path ?? row.file_name), "name"],
    ["Feed", (row) => row.feed], ["Status", status], ["Received", (row) => moment(row.received_at), "when"],
  ];
  const all = el("p", {}, link(elsewhere({}, "deliveries", { open: "true" }), `All ${counted(total, "refusal")} that stand`));
  return [table("Refused and not settled, newest first", columns, data), total > data.length ? all : undefined];
}
