// Days and times for people: short, and with the year only if it is not this one. The exact instant is in the element.

import { el } from "./dom.js";

export const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

const thisYear = () => String(new Date().getFullYear());
const dayAndMonth = (text) => `${Number(text.slice(8, 10))} ${MONTHS[Number(text.slice(5, 7)) - 1]}`;

/** 2026-11-29 as "29 Nov", of another year as "29 Nov 2021"; what is no day stays as it is. */
export function dayText(text) {
  if (!/^\d{4}-\d\d-\d\d/.test(text ?? "")) return text ?? "";
  return text.slice(0, 4) === thisYear() ? dayAndMonth(text) : `${dayAndMonth(text)} ${text.slice(0, 4)}`;
}

/** Two days as "30 Oct to 1 Nov 2021": the year once, if it is the same. */
export function spanText(from, to) {
  if (from === to) return `on ${dayText(from)}`;
  const short = from?.slice(0, 4) === to?.slice(0, 4) && /^\d{4}-/.test(from) ? dayAndMonth(from) : dayText(from);
  return `from ${short} to ${dayText(to)}`;
}

/** The local time that the text itself says: 2021-10-31T01:30:00+01:00 as "31 Oct 2021 01:30". */
export const clockText = (text) => `${dayText(text)} ${text.slice(11, 16)}`;

/** An instant in a zone (by default the reader's own), in the API's form without its offset. */
export function inZone(instant, timeZone) {
  const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone };
  const said = new Intl.DateTimeFormat("en", parts).formatToParts(new Date(instant));
  const { year, month, day, hour, minute } = Object.fromEntries(said.map(({ type, value }) => [type, value]));
  return `${year.padStart(4, "0")}-${month}-${day}T${hour}:${minute}`;
}

/** The local day of now in a zone. */
export const today = (timeZone) => inZone(Date.now(), timeZone).slice(0, 10);

const element = (exact, text) => el("time", { datetime: exact, title: exact }, text);

/** An instant in the reader's own zone. */
export const moment = (instant) => (instant ? element(instant, clockText(inZone(instant))) : "");

/** A reading's start, in the feed's zone as the text has it; `offset` tells repeated hours apart. */
export const start = (text, offset) => element(text, offset ? `${clockText(text)} (${text.slice(19)})` : clockText(text));

/** Whether the clock changes among those instants, so that a time alone may not say which one it is. */
export const changes = (texts) => new Set(texts.map((text) => text.slice(19))).size > 1;

/** A local day. */
export const day = (text) => (text ? element(text, dayText(text)) : "");

/** How long, in one unit: "35 seconds", "3 hours". */
export function duration(ms) {
  const [size, unit] = [[2 * DAY, DAY, "day"], [HOUR, HOUR, "hour"], [2 * MINUTE, MINUTE, "minute"], [0, 1000, "second"]]
    .filter(([least]) => ms >= least).map(([, length, name]) => [Math.round(ms / length), name])[0] ?? [0, "second"];
  return `${size.toLocaleString("en")} ${unit}${size === 1 ? "" : "s"}`;
}

/** How long ago, or how soon. */
export function distance(instant, now = Date.now()) {
  const ms = Date.parse(instant) - now;
  if (Math.abs(ms) < MINUTE) return "now";
  return ms < 0 ? `${duration(-ms)} ago` : `in ${duration(ms)}`;
}
