// The address determines what is shown, so that a view can be bookmarked, sent and returned to.

export const FIELDS = ["view", "feed", "meter", "direction", "grain", "from", "to", "day", "status", "open", "run", "file", "zoom"];
// Fields that other views understand too; the rest belongs to one view.
const SHARED = ["feed", "meter", "direction", "from", "to"];

export function read(search = location.search) {
  const given = new URLSearchParams(search);
  const state = {};
  for (const name of FIELDS) {
    const value = given.get(name);
    if (value) state[name] = value;
  }
  return state;
}

/** The view of an address; one without a view was always a load, and the page opens on Today. */
export const viewOf = (state) => state.view ?? (Object.keys(state).length ? "load" : "today");

/** The address of a state, relative to the page. */
export function address(state) {
  const parts = new URLSearchParams();
  for (const name of FIELDS) if (state[name]) parts.set(name, state[name]);
  return `?${parts}`;
}

/** The same view with some fields changed; undefined removes one. */
export const changed = (state, fields) => address({ ...state, zoom: undefined, ...fields });

/** Another view of the same feed, meter and days. */
export function elsewhere(state, view, fields = {}) {
  const kept = Object.fromEntries(SHARED.map((name) => [name, state[name]]));
  return address({ ...kept, view, ...fields });
}

/** The day that many days later. An invalid day stays as it is: the API says what is wrong with it. */
export function plusDays(day, days) {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? day : new Date(at + days * 86_400_000).toISOString().slice(0, 10);
}

/** The direction that is shown where only one can be. */
export const mainDirection = (feed) => (feed?.directions.includes("import") ? "import" : feed?.directions[0]);

/** Every day from the first to the last, up to a maximum. */
export function daysBetween(first, last, most = 1000) {
  const days = [];
  for (let day = first; day <= last && days.length < most; day = plusDays(day, 1)) days.push(day);
  return days;
}
