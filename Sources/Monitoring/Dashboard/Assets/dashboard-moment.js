// The answer to "can I go back to this moment", with what it costs, the command, or the way round.

import { bytes, exact, instant, make, seconds, sign, target } from "/dashboard-words.js";

let asked = 0;

/** Asks for a moment and shows the answer; only the newest question's answer is shown. */
export async function ask(place, ms, { get, jump, field }) {
  const number = (asked += 1);
  field.value = target(ms);
  place.setAttribute("aria-busy", "true");
  let content;
  try {
    const answer = await get(`/api/moment?at=${encodeURIComponent(target(ms))}`);
    content = view(await answer.json(), jump);
  } catch (error) {
    content = [make("p", { class: "bad" }, `No answer: ${error.message}`)];
  }
  if (number !== asked) return;
  place.removeAttribute("aria-busy");
  place.replaceChildren(...content);
}

function view(answer, jump) {
  const good = answer.sources.filter((one) => one.is_restorable).length;
  const when = `${exact(instant(answer.at))} UTC`;
  const all = answer.sources.length;
  const mood = good === all && all ? "ok" : good ? "warn" : "bad";
  const words = mood === "ok" ? `${all === 1 ? "The source" : `All ${all} sources`} can be restored`
    : good ? `${good} of ${all} sources can be restored` : "Nothing can be restored";
  return [
    make("p", { class: `answer ${mood}` }, sign(mood), `${words} to ${when}`),
    make("p", { class: "hint" }, cost(answer)),
    answer.command && command(answer.command, good === all
      ? "Restores every source:" : `Restores the ${good} that can be:`),
    make("ul", { class: "each" }, ...answer.sources.map((one) => source(one, jump))),
    command(answer.find_command, "To look for what was destroyed around this moment:"),
  ].filter((one) => one);
}

function cost(answer) {
  if (!answer.sources.some((one) => one.is_restorable)) return "";
  const text = answer.estimated_rto_seconds == null ? "not known"
    : `about ${seconds(answer.estimated_rto_seconds)}`;
  return `Time until running: ${text} (${answer.estimate_basis})`;
}

function source(one, jump) {
  const near = (name, time) => time && make("button", {
    type: "button", class: "near", onclick: () => jump(instant(time)),
  }, `${name} ${exact(instant(time))}`);
  const mood = one.is_restorable ? "ok" : "bad";
  return make("li", {},
    make("p", {}, sign(mood), make("strong", {}, one.name),
      one.is_restorable ? " can be restored" : " cannot be restored"),
    make("p", { class: "hint" }, one.is_restorable ? work(one) : one.reason),
    !one.is_restorable && make("p", {}, near("nearest before:", one.nearest_before), " ",
      near("nearest after:", one.nearest_after)),
    ...one.events.map((event) => command(event.command, `${event.action}${
      event.place && ` in ${event.place}`}, by ${exact(instant(event.time))}. To just before it:`)));
}

function work(one) {
  const changes = one.change_bytes == null ? "an unknown amount"
    : one.change_bytes === 0 ? "nothing" : `at most ${bytes(one.change_bytes)}`;
  return `base backup of ${exact(instant(one.backup.finished)).slice(0, 19)}, ${
    bytes(one.backup.bytes)}; ${changes} of changes to replay; ${
    one.estimated_rto_seconds == null ? "time not measured yet"
      : `about ${seconds(one.estimated_rto_seconds)}`}`;
}

function command(text, label) {
  const code = make("code", { tabindex: "0" }, text);
  const said = make("span", { role: "status" });
  const button = make("button", {
    type: "button",
    onclick: async () => {
      said.textContent = (await copy(text, code)) ? "copied" : "select it and copy by hand";
    },
  }, "Copy");
  return make("div", { class: "command" }, make("p", {}, label),
    make("div", {}, code, button, said));
}

/** The clipboard needs a secure page; over plain HTTP the old way is left. */
async function copy(text, code) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}
