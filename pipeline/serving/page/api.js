// The API, used as any other client uses it.

const TOKEN = "meterlake.token";
const MOST_PAGES = 5;
const ROWS = 10_000;
const KEPT = 60;
// Answers by address, with their ETags: the server says 304 as long as the lake has not changed.
const known = new Map();

/** What went wrong, in words for people: status 0 if there was no answer at all. */
export class Problem extends Error {
  constructor(status, title, detail, parameter) {
    super(detail);
    Object.assign(this, { status, title, detail, parameter });
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN) ?? "",
  set: (value) => sessionStorage.setItem(TOKEN, value),
};

function headers(address) {
  const sent = { Accept: "application/json" };
  if (token.get()) sent.Authorization = `Bearer ${token.get()}`;
  if (known.has(address)) sent["If-None-Match"] = known.get(address).tag;
  return sent;
}

async function ask(address, signal) {
  let answer;
  try {
    answer = await fetch(address, { headers: headers(address), signal });
    if (answer.status === 304) return known.get(address).body;
    if (answer.ok) {
      const body = await answer.json();
      keep(address, answer.headers.get("ETag"), body);
      return body;
    }
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new Problem(0, "No answer", "The server does not answer: it was stopped, or the network is down.");
  }
  throw await problemOf(answer);
}

async function problemOf(answer) {
  try {
    const { title, detail, parameter } = await answer.json();
    return new Problem(answer.status, title ?? answer.statusText, detail ?? "", parameter);
  } catch {
    return new Problem(answer.status, `Status ${answer.status}`, `The server answered with ${answer.statusText}.`);
  }
}

function keep(address, tag, body) {
  if (!tag) return;
  known.delete(address);
  known.set(address, { tag, body });
  if (known.size > KEPT) known.delete(known.keys().next().value);
}

/** An address of the API below the page's own, with the parameters that have a value. */
function addressOf(path, parameters) {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") asked.set(name, value);
  }
  return new URL(`${path}?${asked}`, document.baseURI).href;
}

export const one = (path, parameters, signal) => ask(addressOf(path, parameters), signal);

/** Rows of all pages; `cut` if there are more than this page reads. */
export async function rows(path, parameters, signal) {
  let answer;
  try {
    answer = await one(path, { limit: ROWS, ...parameters }, signal);
  } catch (problem) {
    // The server's limit is lower.
    if (problem.parameter !== "limit") throw problem;
    answer = await one(path, parameters, signal);
  }
  const found = [...answer.data];
  let next = answer.next;
  for (let page = 1; next && page < MOST_PAGES; page += 1) {
    // Only the query part: a proxy may serve the API under another address.
    const more = await ask(new URL(path + new URL(next, document.baseURI).search, document.baseURI).href, signal);
    found.push(...more.data);
    next = more.next;
  }
  return { data: found, cut: Boolean(next), total: answer.total, asOf: answer.as_of };
}

/** A meter's address; its name may contain any character. */
export const meterPath = (meter, what) => `meters/${encodeURIComponent(meter)}/${what}`;
