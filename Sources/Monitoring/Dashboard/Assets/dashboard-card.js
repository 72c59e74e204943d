// One source: its state in words, its exposure, the curve of a day, and what it leaves in reserve.

import { bytes, draw, instant, kinds, limit, make, objectives, seconds, short, sign, states, write }
  from "/dashboard-words.js";

const DAY = 86_400_000;
const MINUTE = 60_000;
/** Of the curve's own units. */
const WIDTH = 320;
const HEIGHT = 64;

export class Card {
  constructor(name) {
    this.name = name;
    /** By minute since 1970: the worst exposure in it, null when it was not known. */
    this.minutes = new Map();
    this.totals = [];
    this.build();
  }

  build() {
    this.state = make("span", {});
    this.chip = make("p", { class: "chip" }, this.state);
    this.kind = make("span", { class: "kind" });
    this.number = make("span", { class: "number" });
    this.unit = make("span", { class: "unit" });
    this.what = make("span", { class: "what" });
    this.goal = make("p", { class: "goal" });
    this.used = make("i", {});
    this.reason = make("p", { class: "reason", hidden: "" });
    this.curve = draw("svg", {
      class: "curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
    });
    this.worst = make("figcaption", {});
    this.facts = {};
    const fact = (name) => make("div", {}, make("dt", {}, name),
      this.facts[name] = make("dd", {}, "–"));
    this.element = make("article",
      { class: "card", id: `source-${this.name}`, "aria-label": this.name, tabindex: "-1" },
      make("header", {}, make("h3", {}, this.name), this.kind, this.chip),
      make("p", { class: "exposure" }, this.number, this.unit,
        this.what),
      make("div", { class: "used", "aria-hidden": "true" }, this.used), this.goal, this.reason,
      make("figure", {}, this.curve, this.worst),
      make("dl", {}, fact("restorable to"), fact("throughput"), fact("headroom"),
        fact("base backup")));
  }

  /** `seen`: exposure as of now, verdict, mood, the sidecar's time, whether the feed is lost. */
  show(source, seen) {
    this.source = source;
    this.element.dataset.mood = seen.mood;
    this.showHead(source, seen);
    const { exposure } = seen;
    const text = exposure == null ? "unknown" : seconds(exposure);
    // Digits are written large, units small: "3 min 20 s" is split at its first blank.
    const cut = exposure == null ? text.length : text.indexOf(" ");
    write(this.number, text.slice(0, cut));
    write(this.unit, text.slice(cut));
    write(this.what, `${exposure == null ? "how much " : ""}could be lost now`);
    this.used.style.width = `${Math.min(1, (exposure ?? Infinity) / source.rpo_seconds) * 100}%`;
    write(this.goal, `objective ${limit(source.rpo_seconds)}: ${
      objectives[seen.verdict]}`);
    write(this.facts["restorable to"], source.restorable_to == null ? "nothing yet"
      : short(instant(source.restorable_to), seen.now));
    write(this.facts.throughput, this.throughput(source, seen));
    write(this.facts.headroom, headroom(source.source_window));
    write(this.facts["base backup"], source.last_backup == null ? "none" : `${
      seconds(Math.max(0, seen.now - instant(source.last_backup.finished)) / 1000)
        .replace(/(\d+ (?:d|h|min)).*/, "$1")} ago, ${bytes(source.last_backup.stored_bytes)}`);
    this.note(exposure, seen.now);
  }

  showHead(source, seen) {
    write(this.kind, kinds[source.kind] ?? source.kind);
    const words = `${seen.mood} ${source.state}`;
    if (this.chip.dataset.words !== words) {
      this.chip.dataset.words = words;
      this.chip.className = `chip ${seen.mood}`;
      this.chip.title = states[source.state] ?? "";
      this.chip.replaceChildren(sign(seen.mood), source.state.replace("-", " "));
    }
    const reason = source.reason || (seen.mood === "ok" ? "" : states[source.state] ?? "");
    this.reason.hidden = !reason || (seen.mood === "ok" && !source.reason);
    write(this.reason, reason);
  }

  /** Bytes a second over the last ten or so, by the counter of the feed. */
  throughput(source, seen) {
    if (seen.isLost) return "not known";
    const total = source.archived_bytes_total;
    if (total == null) return this.rate ?? "measuring";
    const first = this.totals[0];
    const last = this.totals.at(-1);
    if (last && total < last.total) this.totals = [];
    if (!last || seen.now - last.at >= 900) this.totals.push({ at: seen.now, total });
    while (this.totals.length > 11) this.totals.shift();
    if (!first || seen.now - first.at < 900) return "measuring";
    const rate = Math.max(0, total - first.total) / ((seen.now - first.at) / 1000);
    return (this.rate = rate < 1 ? "idle" : `${bytes(rate)}/s`);
  }

  /** Points of `/api/history`; newer ones of this page's own watching stay. */
  setHistory(points) {
    for (const one of points) {
      const minute = Math.floor(instant(one.time) / MINUTE);
      const seen = this.minutes.get(minute);
      const isWorse = seen != null && one.exposure_seconds != null && seen > one.exposure_seconds;
      if (!isWorse) this.minutes.set(minute, one.exposure_seconds);
    }
    this.drawn = null;
    if (this.source) this.drawCurve(this.at);
  }

  /** Keeps the worst of this minute. */
  note(exposure, at) {
    this.at = at;
    const minute = Math.floor(at / MINUTE);
    const known = this.minutes.get(minute);
    if (known === null) return;
    this.minutes.set(minute, exposure == null ? null : Math.max(known ?? 0, exposure));
    if (this.drawn == null) this.drawCurve(at);
  }

  /** Exposure of a day; the height is logarithmic, so that one second and one hour both show. */
  drawCurve(at) {
    if (!this.source || at == null) return;
    this.drawn = at;
    const rpo = this.source.rpo_seconds;
    const first = at - DAY;
    const slots = slotted(this.minutes, first);
    const worst = slots.reduce((most, one) => Math.max(most, one ?? 0), 0);
    const top = Math.log1p(Math.max(worst, rpo) * 1.6);
    const y = (value) => HEIGHT - 2 - (Math.log1p(value) / top) * (HEIGHT - 4);
    const parts = lines(slots, y);
    this.curve.replaceChildren(
      ...parts.unknown.map(([from, to]) => draw("rect",
        { class: "unknown", x: from, y: 0, width: Math.max(2, to - from), height: HEIGHT })),
      draw("path", { class: "area", d: parts.area }),
      draw("path", { class: "line", d: parts.line, "vector-effect": "non-scaling-stroke" }),
      draw("line", { class: "limit", x1: 0, x2: WIDTH, y1: y(rpo), y2: y(rpo),
        "vector-effect": "non-scaling-stroke" }));
    for (const [minute] of this.minutes) {
      if (minute < first / MINUTE) this.minutes.delete(minute);
    }
    this.caption(slots, worst, rpo, first);
  }

  caption(slots, worst, rpo, first) {
    const place = slots.findIndex((one) => one === worst);
    const when = short(first + ((place + 0.5) / slots.length) * DAY, this.at);
    const hasAny = slots.some((one) => one != null);
    const lasts = (kind) => slots.filter((one) => one === kind).length * (DAY / slots.length) / 1000;
    const [unknown, unwatched] = [lasts(null), lasts(undefined)];
    const gaps = [unknown && `unknown for ${seconds(unknown)}`,
      unwatched > 600 && `not watched for ${seconds(unwatched)}`].filter((one) => one).join(", ");
    const text = (hasAny ? `24 h: at worst ${seconds(worst)}, ${when}`
      : "24 h: nothing known") + (gaps && `${hasAny ? ", where known" : ""}; ${gaps}`);
    write(this.worst, text);
    this.curve.setAttribute("aria-label", `exposure of the last 24 hours, ${text}, objective ${
      limit(rpo)}`);
  }
}

/** The day in 288 slots, the worst of each; null: not known, undefined: nothing recorded. */
function slotted(minutes, first) {
  const slots = new Array(288).fill(undefined);
  for (const [minute, value] of minutes) {
    const place = Math.floor((minute * MINUTE + MINUTE / 2 - first) / (DAY / slots.length));
    if (place < 0 || place >= slots.length) continue;
    const known = slots[place];
    slots[place] = known === null || value === null ? null : Math.max(known ?? 0, value);
  }
  return slots;
}

/** Paths through what is known, and the stretches that were watched without knowing. */
function lines(slots, y) {
  const x = (place) => (place / slots.length) * WIDTH;
  const found = { line: "", area: "", unknown: [] };
  for (let place = 0; place < slots.length;) {
    const isKnown = slots[place] != null;
    let end = place;
    while (end < slots.length && (slots[end] != null) === isKnown
      && (isKnown || slots[end] === slots[place])) end += 1;
    if (isKnown) {
      const points = slots.slice(place, end).map((value, index) =>
        `${x(place + index).toFixed(1)} ${y(value).toFixed(1)}`);
      points.push(`${x(end).toFixed(1)} ${y(slots[end - 1]).toFixed(1)}`);
      found.line += `M${points.join("L")}`;
      found.area += `M${x(place)} ${HEIGHT}L${points.join("L")}L${x(end)} ${HEIGHT}Z`;
    } else if (slots[place] === null) {
      found.unknown.push([x(place), x(end)]);
    }
    place = end;
  }
  return found;
}

/** How far the source can run ahead before it drops what the archive still needs. */
function headroom(room) {
  if (room == null) return "not known";
  const parts = [];
  if (room.headroom_bytes != null) parts.push(bytes(room.headroom_bytes));
  if (room.headroom_seconds != null) parts.push(seconds(room.headroom_seconds));
  return parts.length ? parts.join(", ") : "without bound";
}
