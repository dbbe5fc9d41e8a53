// Completeness: the days of each feed or of a meter; a day leads to its gaps.

import * as api from "./api.js";
import { calendar, judged } from "./calendar.js";
import { note } from "./dom.js";
import { download } from "./download.js";
import * as gaps from "./gaps.js";
import { KINDS } from "./kinds.js";
import { counted, listed } from "./numbers.js";
import { daysBetween, plusDays } from "./state.js";
import { spanText } from "./when.js";

const MOST_DAYS = 1000;

export function render(context) {
  if (context.state.day) return context.state.meter ? gaps.intervals(context) : gaps.meters(context);
  return calendars(context);
}

async function calendars(context) {
  const { state, days, signal } = context;
  const asked = { from: days.from, to: plusDays(days.to, 1), feed: state.feed };
  const { data, cut } = state.meter
    ? await api.rows(api.meterPath(state.meter, "completeness"), asked, signal)
    : await api.rows("aggregates/feed-day", { ...asked, direction: state.direction }, signal);
  const rows = data.filter((row) => !state.direction || row.direction === state.direction);
  const every = daysBetween(days.from, days.to, MOST_DAYS);
  const shown = owners(context, rows).map(({ feed, direction, first }) => {
    const own = rows.filter((row) => row.feed === feed && row.direction === direction);
    const name = direction ? `${feed}, ${direction}` : feed;
    return { name, whose: { feed, direction: direction || undefined }, days: judged(every, own, first) };
  });
  const heading = state.meter ? `Completeness of meter ${state.meter}` : "Completeness";
  const key = Object.values(KINDS).map(([sign, words]) => `${sign}\u00a0${words.replaceAll(" ", "\u00a0")}`).join("   ");
  const notes = [note(`${key}. Choose a day to see its gaps.`)];
  if (cut || every.at(-1) < days.to) notes.push(note("Only the first days are shown: choose fewer."));
  context.show(heading, sentence(shown, days), ...notes, ...shown.map((each) => calendar(state, each.name, each.whose, each.days)), download(heading, lines(shown)));
}

/** Whose days are shown: each direction of each feed, also of feeds that have nothing; of a meter what it has. */
function owners({ state, feeds }, rows) {
  if (state.meter) {
    const own = Map.groupBy(rows, (row) => `${row.feed} ${row.direction}`);
    return [...own.values()].map(([{ feed, direction, local_date: first }]) => ({ feed, direction, first }));
  }
  return feeds.filter(({ name }) => !state.feed || name === state.feed).flatMap(({ name, every }) => {
    const known = every.map(({ direction, first_date: first }) => ({ feed: name, direction, first }));
    const wanted = known.filter(({ direction }) => !state.direction || !direction || direction === state.direction);
    // A day may hold only missing intervals of a direction that has no reading.
    const more = rows.filter((row) => row.feed === name && !known.some(({ direction }) => direction === row.direction));
    return [...wanted, ...[...new Set(more.map((row) => row.direction))].map((direction) => ({ feed: name, direction }))];
  });
}

function sentence(shown, days) {
  const when = spanText(days.from, days.to);
  if (!shown.length) return `No readings were expected ${when}.`;
  const kinds = shown.flatMap((each) => each.days.map(([, kind]) => kind));
  const counts = Object.entries(KINDS).map(([kind, words]) => [kinds.filter((each) => each === kind).length, words]).filter(([count]) => count);
  const parts = counts.map(([count, [, , one, many]]) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`);
  const empty = shown.filter((each) => each.days.every(([, kind]) => kind === "nothing")).map(({ name }) => name.replace(", ", " "));
  const silent = empty.length ? ` Nothing at all came of ${listed(empty)}.` : "";
  const whose = shown.length > 1 ? `${shown.length} feeds and directions, ` : "";
  return `${whose}${counted(kinds.length, "day")} ${when}: ${listed(parts)}.${silent}`;
}

const lines = (shown) => shown.flatMap(({ whose, days }) => days.map(([day, kind, row]) => ({
  feed: whose.feed, direction: whose.direction ?? "", local_date: day, state: KINDS[kind][1],
  intervals_received: row?.intervals_received ?? 0, intervals_expected: row?.intervals_expected ?? "", intervals_missing: row?.intervals_missing ?? "",
})));
