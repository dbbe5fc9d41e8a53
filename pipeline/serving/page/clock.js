// Instants as the API writes them, 2021-10-31T01:30:00+00:00: the text holds the local time of the feed's zone and its
// offset, so nothing here needs to know any zone.

const HOUR = 3_600_000;
const STEPS = [0.5, 1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24, 56 * 24].map((hours) => hours * HOUR);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export const at = (text) => Date.parse(text);
export const day = (text) => text.slice(0, 10);
export const time = (text) => text.slice(11, 16);
export const offset = (text) => text.slice(19);
export const shortDay = (text) => `${Number(text.slice(8, 10))} ${MONTHS[Number(text.slice(5, 7)) - 1]}`;
const minutes = (text) => Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16));
const dayNumber = (text) => Date.parse(`${day(text)}T00:00:00Z`) / (24 * HOUR);

/** Ticks for a part of the time axis, at instants with a reading, labelled with local time. */
export function ticks(texts, begin, end, most) {
  const step = STEPS.find((each) => (end - begin) / each <= most) ?? STEPS.at(-1);
  const shown = texts.filter((text) => {
    if (at(text) < begin || at(text) > end) return false;
    if (step >= 24 * HOUR) return minutes(text) === 0 && dayNumber(text) % (step / (24 * HOUR)) === 0;
    return (minutes(text) * 60_000) % step === 0;
  });
  return { tickmode: "array", tickvals: shown.map((text) => at(text)), ticktext: labels(shown, step) };
}

function labels(texts, step) {
  return texts.map((text, n) => {
    const before = texts[n - 1];
    const turned = !before || offset(before) !== offset(text); // the zone's offset, at the start and where it changes
    const parts = step < 24 * HOUR ? [time(text)] : [];
    if (!before || day(before) !== day(text)) parts.push(shortDay(text));
    if (turned) parts.push(`UTC${offset(text)}`);
    return parts.join("<br>");
  });
}

/** Ticks for days, which have no time of day and no offset. */
export function dayTicks(texts, begin, end, most) {
  const shown = texts.filter((text) => at(text) >= begin && at(text) <= end);
  const every = Math.ceil(shown.length / most);
  const kept = shown.filter((_, n) => n % every === 0);
  const label = (text, n) => (n ? shortDay(text) : `${shortDay(text)}<br>${text.slice(0, 4)}`);
  return { tickmode: "array", tickvals: kept.map((text) => at(text)), ticktext: kept.map(label) };
}
