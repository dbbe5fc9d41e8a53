// Shows what went wrong and what can be done about it; screen readers announce it at once.

import { token } from "./api.js";
import { el } from "./dom.js";

const region = document.getElementById("alert");

export const clear = () => region.replaceChildren();

/** Show a problem; `again` is called if trying again may help. */
export function explain(problem, again) {
  const title = problem.title ?? "Something failed in this page";
  const parts = [el("p", {}, el("strong", {}, `${title}. `), problem.message)];
  if (problem.status === 401) parts.push(form(again));
  // A wrong parameter stays wrong; a server that was down may be back.
  else if (!(problem.status >= 400 && problem.status < 500)) parts.push(el("button", { type: "button", onclick: again }, "Try again"));
  region.replaceChildren(...parts);
}

function form(again) {
  const input = el("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const made = el(
    "form", { "aria-label": "Bearer token" },
    el("label", { for: "token" }, "Bearer token, kept until this tab is closed"), input, el("button", { type: "submit" }, "Send"),
  );
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    token.set(input.value.trim());
    again();
  });
  return made;
}
