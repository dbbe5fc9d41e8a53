// A feed in a row of Today: its last delivery, how far its readings are behind, and how complete its days are.

import * as api from "./api.js";
import { el, link } from "./dom.js";
import { count, counted } from "./numbers.js";
import { daysOf, spark } from "./spark.js";
import { daysBetween, elsewhere, plusDays } from "./state.js";
import { statusOf } from "./status.js";
import { day, dayText, distance, moment, spanText, today } from "./when.js";

const SHOWN_DAYS = 28;
// Days behind that a feed of daily files has each morning.
const USUAL_LAG = 1;

/** What the row shows: `delivery` is of /feeds/deliveries, `feed` of /feeds (none for the reference database). */
export async function facts(delivery, feed, signal) {
  const { last_received_at: received, ...rest } = delivery;
  const exact = { ...rest, last_received_at: received, last_day: feed?.last ?? "", days_behind: "", intervals_received: "", intervals_expected: "" };
  if (!feed?.last) return { delivery, feed, exact };
  const now = today(feed.zone);
  const lag = Math.max(0, Math.round((Date.parse(now) - Date.parse(feed.last)) / 86_400_000));
  // Up to today, so that silence is seen; of a feed that is silent for longer its own last days.
  const to = lag < SHOWN_DAYS ? plusDays(now, -1) : feed.last;
  const from = plusDays(to, 1 - SHOWN_DAYS);
  const { data } = await api.rows("aggregates/feed-day", { from, to: plusDays(to, 1), feed: feed.name }, signal);
  const days = daysOf(data, daysBetween(from, to), feed.first);
  const total = (name) => days.reduce((sum, each) => sum + each[name], 0);
  const [arrived, expected] = [total("received"), total("expected")];
  const silent = days.filter(({ kind }) => kind === "nothing").length;
  Object.assign(exact, { days_behind: lag, intervals_received: arrived, intervals_expected: expected });
  return { delivery, feed, exact, lag, days, from, to, arrived, expected, silent };
}

export const columns = [
  ["Feed", ({ delivery }) => link(elsewhere({}, "deliveries", { feed: delivery.feed }), delivery.feed)],
  ["Last delivery", lastDelivery, "wide"],
  ["Readings up to", behind],
  ["Complete", complete, "wide"],
  ["Refused", ({ delivery }) => count(delivery.open_refusals, elsewhere({}, "deliveries", { feed: delivery.feed, open: "true" })), "number"],
  ["Rows that did not pass", ({ delivery }) => count(delivery.rows_rejected, elsewhere({}, "deliveries", { feed: delivery.feed, status: "loaded" })), "number"],
];

function lastDelivery({ delivery }) {
  if (delivery.last_file_id === null) return "none yet";
  const name = link(elsewhere({}, "deliveries", { file: delivery.last_file_id }), delivery.last_relative_path ?? String(delivery.last_file_id));
  const said = el("small", {}, statusOf(delivery.last_status), " ", moment(delivery.last_received_at), `, ${distance(delivery.last_received_at)}`);
  return el("div", {}, el("div", { class: "name" }, name), said);
}

function behind({ delivery, feed, lag }) {
  if (delivery.feed === "reference") return "";
  if (!feed?.last) return el("span", { class: "status rejected" }, "no readings");
  const kind = lag > USUAL_LAG ? "status rejected" : "status loaded";
  const words = lag > 0 ? `${counted(lag, "day")} behind` : "up to date";
  return el("div", {}, el("div", {}, day(feed.last)), el("small", { class: kind }, words));
}

function complete({ feed, days, from, to, arrived, expected, silent }) {
  if (!days) return "";
  const part = `${Math.floor((arrived / expected) * 1000) / 10} %`;
  const whole = arrived === expected ? "all came" : `${part} came`;
  const others = arrived === expected ? "; the others are complete" : `; ${part} of the others`;
  const words = silent ? `${counted(silent, "day")} with nothing at all${expected ? others : ""}` : whole;
  const chart = spark(days, `${feed.name}, ${dayText(from)} to ${dayText(to)}: ${words}`);
  return el("div", {}, link(elsewhere({}, "completeness", { feed: feed.name, from, to }), chart), el("small", {}, `${words} (${spanText(from, to)})`));
}
