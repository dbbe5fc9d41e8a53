// Elements. Text is inserted as text: nothing from data is ever parsed as HTML.

const FIRST_ROWS = 500;
const MORE_ROWS = 2000;

/** An element with attributes (undefined: left out) and children, which are nodes or text. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

export const link = (href, ...children) => el("a", { href }, ...children);

/**
 * A table of rows, built in pieces so that many rows do not block the page. On a narrow screen each row is a card.
 * columns: [label, row => text or node, class?]: numbers are right-aligned, a wide column gets more room. The first is the row's header.
 */
export function table(caption, columns, rows) {
  // The roles stay when the style sheet makes cards of the rows.
  const body = el("tbody", { role: "rowgroup" });
  const heads = columns.map(([label, , kind]) => el("th", { scope: "col", role: "columnheader", class: kind }, label));
  const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads));
  const made = el("table", { class: "cards", role: "table" }, el("caption", {}, caption), head, body);
  // Wide tables scroll in their own box, also by keyboard.
  const box = el("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": caption }, made);
  const more = el("button", { type: "button", onclick: () => add(MORE_ROWS) });
  let shown = 0;
  function add(count) {
    for (const row of rows.slice(shown, shown + count)) body.append(line(columns, row));
    shown = Math.min(rows.length, shown + count);
    more.hidden = shown === rows.length;
    more.textContent = `Show more rows (${(rows.length - shown).toLocaleString("en")} left)`;
  }
  add(FIRST_ROWS);
  return el("div", {}, box, more);
}

function line(columns, row) {
  const cells = columns.map(([label, of, kind], n) => {
    const value = of(row) ?? "";
    const named = { class: [kind, value === "" ? "empty" : ""].filter(Boolean).join(" ") || undefined, "data-label": label };
    return n ? el("td", { role: "cell", ...named }, value) : el("th", { scope: "row", role: "rowheader", ...named }, value);
  });
  return el("tr", { role: "row" }, ...cells);
}

/** The figures of a chart as a table, built when it is opened. */
export function figures(caption, columns, rows) {
  const made = el("details", { class: "figures" }, el("summary", {}, `${caption}: the figures`));
  made.addEventListener("toggle", () => made.open && made.children.length === 1 && made.append(table(caption, columns, rows)));
  return made;
}

export const note = (...text) => el("p", { class: "note" }, ...text);

/** A command; an option in it is not parted after its dashes. */
export const command = (text) => el("code", {}, ...text.split(/(?<= )(?=--)|(?<=--\S+)(?= )/).map((part) => (part.startsWith("--") ? el("span", { class: "option" }, part) : part)));

/** A text in which `commands` stand between backticks. */
export const prose = (text) => text.split("`").map((part, n) => (n % 2 ? command(part) : part));

/** A reason or name at the beginning of a sentence. */
export const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

/** A part of a view with a heading of its own. */
export const section = (heading, ...children) => el("section", {}, el("h3", {}, heading), ...children);
