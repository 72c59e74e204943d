// How numbers, times and states are written, and how elements are made. Text is only ever set as
// text: a name or a reason from the archive cannot become markup.

/** An element; `on…` are listeners, null and false are left out. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same in the namespace of SVG. */
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/** Writes a text only when it is another one, so that nothing is laid out in vain. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`: rounded up to the smaller unit that is shown, so that
 * it is never too good. As `DurationWords` does it. */
export function seconds(value) {
  const tenths = Math.ceil(value * 10 - 1e-9);
  if (tenths < 100) return `${(tenths / 10).toFixed(1)} s`;
  const whole = Math.ceil(value);
  const first = UNITS.findIndex(([size]) => whole >= size);
  if (first === 3) return `${whole} s`;
  const [small, name] = UNITS[first + 1];
  const up = Math.ceil(whole / small) * small;
  if (first > 0 && up >= UNITS[first - 1][0]) return `1 ${UNITS[first - 1][1]}`;
  const [large, title] = UNITS[first];
  return `${Math.floor(up / large)} ${title}${up % large ? ` ${(up % large) / small} ${name}` : ""}`;
}

/** An objective as it was written down: `15 min`, `1 h`. */
export function limit(value) {
  const unit = UNITS.slice(0, 3).find(([size]) => value >= size && value % size === 0);
  return unit ? `${value / unit[0]} ${unit[1]}` : seconds(value).replace(".0 ", " ");
}

/** `340 MiB`; three digits. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1024;
    step += 1;
  }
  const digits = step === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[step]}`;
}

/** Milliseconds since 1970 of a time of the API; null stays null. */
export const instant = (text) => (text == null ? null : Date.parse(text));

/** `2026-11-24 12:00:00.250`, in UTC. */
export const exact = (ms) => new Date(ms).toISOString().slice(0, 23).replace("T", " ");

/** `24 Nov`. */
export function day(ms) {
  const [, month, date] = exact(ms).slice(0, 10).split("-");
  return `${+date} ${"JanFebMarAprMayJunJulAugSepOctNovDec".slice(3 * month - 3, 3 * month)}`;
}

/** As `--to` takes it. */
export const target = (ms) => new Date(Math.floor(ms)).toISOString();

/** `12:00:00` today, with the day before it otherwise. */
export function short(ms, now) {
  const text = exact(ms);
  return text.slice(0, 10) === exact(now).slice(0, 10) ? text.slice(11, 19) : `${day(ms)} ${text.slice(11, 16)}`;
}

export const kinds = { postgres: "Postgres", mongodb: "MongoDB", redis: "Redis" };

export const objectives = { met: "met", "at-risk": "at risk", breached: "breached" };

/** What a state means to somebody who reads it for the first time. */
export const states = {
  connecting: "connecting to the database",
  "catching-up": "catching up with the database",
  streaming: "follows the database",
  stalled: "stalled: the database sends nothing",
  gap: "history was lost",
  stopped: "stopped",
};

/** Exposure as of now against the objective; never better than what the sidecar said last. */
export function objective(exposure, { rpo_seconds: rpo, objective: said }) {
  if (exposure == null || exposure > rpo || said === "breached") return "breached";
  return exposure > rpo / 2 || said === "at-risk" ? "at-risk" : "met";
}

/** `ok`, `warn` or `bad`: the one look of a source, from state and objective together. */
export function mood(source, verdict) {
  if (verdict === "breached" || source.state === "gap") return "bad";
  const isFollowed = source.state === "streaming" || source.state === "catching-up";
  return verdict === "at-risk" || !isFollowed ? "warn" : "ok";
}

const shapes = {
  ok: "M8 1.5a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13zM4.8 8.2l2.2 2.2 4.2-4.6",
  warn: "M8 1.5 15 14H1zM8 6v4M8 12v.1",
  bad: "M5 1.5h6L14.5 5v6L11 14.5H5L1.5 11V5zM5.5 5.5l5 5M10.5 5.5l-5 5",
};

/** A sign whose shape, not only its colour, tells the mood. */
export function sign(kind) {
  return draw("svg", { class: `sign ${kind}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    draw("path", { d: shapes[kind] }));
}
