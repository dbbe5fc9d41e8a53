// Decimals come as text, because a JSON number might become a float. They stay exact here: sums use millionths.

import { el, link } from "./dom.js";

export const micro = (text) => BigInt(text.replace(".", ""));

export function decimal(millionths) {
  const digits = (millionths < 0n ? -millionths : millionths).toString().padStart(7, "0");
  return `${millionths < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

export const sum = (texts) => decimal(texts.reduce((total, text) => total + micro(text), 0n));

/** The row with the largest value in that column; the first if there are several. */
export function most(rows, column) {
  return rows.reduce((best, row) => (best && micro(best[column]) >= micro(row[column]) ? best : row), undefined);
}

/** A decimal for people: thousands apart, at most three digits after the point, rounded half up; never a false zero. */
export function short(text) {
  const millionths = micro(text);
  const size = millionths < 0n ? -millionths : millionths;
  const thousandths = (size + 500n) / 1000n;
  const sign = millionths < 0n ? "-" : "";
  if (size && !thousandths) return sign ? "above -0.001" : "below 0.001";
  const whole = (thousandths / 1000n).toLocaleString("en");
  const part = (thousandths % 1000n).toString().padStart(3, "0").replace(/0+$/, "");
  return `${sign}${whole}${part && `.${part}`}`;
}

/** A decimal as an element that has every digit; with an address it leads to what is behind it. */
export function exactly(text, unit = "kWh", href) {
  if (text === null || text === undefined) return "";
  const made = el("data", { value: text, title: `${text} ${unit}`.trim() }, short(text));
  return href ? link(href, made) : made;
}

/** A count as an element; with an address it leads to what is behind it. */
export function count(number, href) {
  if (number === null || number === undefined) return "";
  const made = el("data", { value: String(number) }, number.toLocaleString("en"));
  return href && number ? link(href, made) : made;
}

/** A count for people: 1 meter, 12 meters. */
export const counted = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

/** Words for people: "a, b and c". */
export const listed = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : (words[0] ?? ""));
