// One time axis for all sources: recovery windows, base backups, marks, gaps, destructive events,
// activity. What the axis shows by signs stands in a table beside it, in words.

import { bytes, day, draw, exact, instant, make } from "/dashboard-words.js";

const HOUR = 3_600_000;
const SPANS = [["1 h", HOUR], ["6 h", 6 * HOUR], ["24 h", 24 * HOUR], ["7 d", 168 * HOUR],
  ["30 d", 720 * HOUR], ["all", null]];
const STEPS = [1, 5, 10, 30, 60, 180, 360, 720, 1440, 2880, 7200, 14400, 43200]
  .map((minutes) => minutes * 60_000);
/** Pixels within which a sign is meant. */
const NEAR = 7;
const TOP = 22;
/** Rows of the table; more is not read by anybody. */
const ROWS = 400;

const LEGEND = [["window", "can be restored to"], ["gap", "history lost"],
  ["backup", "base backup"], ["point", "mark"], ["event", "much was taken away"],
  ["activity", "activity"]];

export class Axis {
  /** `now` tells the sidecar's time; `choose` takes the moment that was chosen, `look` the hours
   * whose activity is wanted. */
  constructor(section, { now, choose, look }) {
    this.now = now;
    this.choose = choose;
    this.look = look;
    this.rows = [];
    this.span = 24 * HOUR;
    this.cursor = null;
    this.plot = section.querySelector("#plot");
    this.tip = section.querySelector("#tip");
    this.table = section.querySelector("#table");
    this.svg = draw("svg", { class: "axis", "aria-hidden": "true" });
    this.plot.prepend(this.svg);
    this.buildSpans(section.querySelector("#spans"));
    section.querySelector("#legend").append(...LEGEND.map(([kind, words]) =>
      make("li", {}, legendSign(kind), words)));
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  buildSpans(group) {
    group.append(...SPANS.map(([name, span]) => make("button", {
      type: "button", "aria-pressed": String(span === this.span),
      onclick: (event) => {
        this.span = span;
        for (const one of group.children) one.setAttribute("aria-pressed", one === event.target);
        this.cursor = null;
        this.tip.hidden = true;
        this.draw();
        this.look(this.hours);
      },
    }, name)));
  }

  // What is shown

  setSources(sources) {
    const known = new Map(this.rows.map((row) => [row.name, row]));
    this.rows = sources.map(({ name }) => known.get(name) ?? { name, activity: null });
    this.draw();
  }

  /** The newest window goes on with what is proved now; a change of shape is drawn at once. */
  live(sources) {
    for (const source of sources) {
      const row = this.rows.find((one) => one.name === source.name);
      if (!row) continue;
      row.position = source.archived_position;
      row.proved = instant(source.restorable_to);
      row.isGap = source.state === "gap";
      this.add(row, source.archived_bytes_total);
      if (!row.timeline) {
        row.windows = source.recovery_windows.map(({ from, to }) =>
          ({ from: instant(from), to: instant(to) }));
      } else if (row.windows.length && source.recovery_windows.length) {
        row.windows.at(-1).to =
          Math.max(row.windows.at(-1).to, instant(source.recovery_windows.at(-1).to));
      }
    }
    if (this.drawn == null) this.draw();
  }

  /** What was archived since the last document, in the minute under way. */
  add(row, total) {
    const bytes = row.total != null && total > row.total ? total - row.total : 0;
    row.total = total ?? null;
    if (!bytes || !row.activity) return;
    const time = Math.floor(this.now() / 60_000) * 60_000;
    const last = row.activity.at(-1);
    if (last?.time === time) last.bytes += bytes;
    else row.activity.push({ time, bytes });
  }

  setTimeline(document) {
    for (const source of document.sources) {
      const row = this.rows.find((one) => one.name === source.name);
      if (!row) {
        this.rows.push({ name: source.name, activity: null });
      }
      Object.assign(row ?? this.rows.at(-1), {
        timeline: source,
        windows: source.windows.map((one) => ({ ...one, from: instant(one.from),
          to: instant(one.to) })),
        gaps: source.gaps.map((one) => ({ ...one, from: instant(one.from), to: instant(one.to) })),
        marks: marksOf(source),
        places: source.positions.map((one) => ({ ...one, time: instant(one.time) })),
      });
    }
    this.searching = document.sources.filter((one) => one.event_search === "running").length;
    this.fillTable();
    this.draw();
  }

  setActivity(history) {
    for (const { name, points } of history.sources) {
      const row = this.rows.find((one) => one.name === name);
      if (!row) continue;
      row.activity = points.map((one) => ({ time: instant(one.time), bytes: one.archived_bytes }));
    }
    this.draw();
  }

  /** Hours that are shown, as far as the history goes back. */
  get hours() {
    const [from, to] = this.range;
    return Math.max(24, Math.min(2160, Math.ceil((to - from) / HOUR)));
  }

  // Geometry

  get range() {
    const to = this.now();
    if (this.span != null) return [to - this.span, to];
    const starts = this.rows.flatMap((row) => [
      ...(row.windows ?? []).map((one) => one.from), ...(row.marks ?? []).map((one) => one.time)]);
    return [Math.min(to - HOUR, ...starts) - HOUR / 6, to];
  }

  layout() {
    const width = Math.max(240, this.plot.clientWidth);
    const label = width < 560 ? 84 : 132;
    const height = this.rows.length > 10 ? 22 : 34;
    const [from, to] = this.range;
    const x = (ms) => label + ((ms - from) / (to - from)) * (width - label - 6);
    const time = (px) => from + ((px - label) / (width - label - 6)) * (to - from);
    return { width, label, height, from, to, x, time };
  }

  // Drawing

  draw() {
    if (!this.plot.clientWidth) return;
    this.drawn = this.now();
    const place = (this.place = this.layout());
    const bottom = TOP + this.rows.length * place.height;
    this.svg.setAttribute("viewBox", `0 0 ${place.width} ${bottom + 6}`);
    this.svg.setAttribute("height", bottom + 6);
    this.svg.replaceChildren(hatch(), ...this.ticks(place, bottom),
      ...this.rows.map((row, index) => this.drawRow(row, TOP + index * place.height, place)));
    if (this.chosen != null && this.chosen >= place.from && this.chosen <= place.to) {
      const at = place.x(this.chosen);
      this.svg.append(draw("line", { class: "chosen", x1: at, x2: at, y1: 14, y2: bottom }));
    }
    this.line = draw("line", { class: "cursor", y1: TOP - 4, y2: bottom, visibility: "hidden" });
    this.svg.append(this.line);
    this.plot.setAttribute("aria-valuemin", Math.round(place.from));
    this.plot.setAttribute("aria-valuemax", Math.round(place.to));
    if (this.cursor != null) this.pointAt(this.cursor, this.row);
  }

  ticks({ from, to, width, label, x }, bottom) {
    const step = STEPS.find((one) => ((to - from) / one) * 72 <= width - label) ?? STEPS.at(-1);
    const signs = [];
    for (let at = Math.ceil(from / step) * step; at < to; at += step) {
      const text = exact(at);
      const isDay = step >= 24 * HOUR || text.slice(11, 16) === "00:00";
      if (x(at) > width - 20) break;
      signs.push(
        draw("line", { class: isDay ? "tick day" : "tick", x1: x(at), x2: x(at), y1: TOP - 4,
          y2: bottom }),
        draw("text", { class: "time", x: x(at), y: 12, "text-anchor": "middle" },
          isDay ? day(at) : text.slice(11, 16)));
    }
    return signs;
  }

  drawRow(row, y, place) {
    const { label, height, width, x } = place;
    const clip = (ms) => Math.min(width - 6, Math.max(label, x(ms)));
    const bar = (name, from, to, more = {}) => to < place.from || from > place.to ? null
      : draw("rect", { class: name, x: clip(from), width: Math.max(2, clip(to) - clip(from)),
        y: y + 4, height: height - 8, rx: 3, ...more });
    const longest = Math.floor(label / 7.2);
    const name = row.name.length > longest ? `${row.name.slice(0, longest - 1)}…` : row.name;
    return draw("g", {},
      draw("text", { class: "label", x: 0, y: y + height / 2 + 4 }, name),
      draw("rect", { class: "track", x: label, y: y + 4, width: width - label - 6,
        height: height - 8, rx: 3 }),
      ...(row.windows ?? []).map((one) => bar("window", one.from, one.to)),
      activityPath(row, y, place),
      ...(row.gaps ?? []).flatMap((one) => {
        const to = one.to ?? this.now();
        return [bar("gap", one.from, to), bar("hatched", one.from, to, { fill: "url(#hatch)" })];
      }),
      ...(row.marks ?? []).map((one) => markSign(one, y, place)));
  }

  // Pointing

  listen() {
    const { plot } = this;
    plot.addEventListener("pointermove", (event) => this.pointed(event));
    plot.addEventListener("pointerdown", (event) => this.pointed(event));
    plot.addEventListener("pointerleave", () => this.leave());
    plot.addEventListener("blur", () => this.leave());
    plot.addEventListener("focus", () => {
      if (plot.matches(":focus-visible")) this.pointAt(this.cursor ?? this.now(), this.row ?? 0);
    });
    plot.addEventListener("click", () => this.cursor != null && this.choose(this.cursor));
    plot.addEventListener("keydown", (event) => this.key(event));
  }

  leave() {
    this.tip.hidden = true;
    this.line?.setAttribute("visibility", "hidden");
  }

  pointed(event) {
    const box = this.svg.getBoundingClientRect();
    const px = event.clientX - box.left;
    if (px < this.place.label - 4) return this.leave();
    const index = Math.floor((event.clientY - box.top - TOP) / this.place.height);
    const row = Math.max(0, Math.min(this.rows.length - 1, index));
    const near = (this.rows[row]?.marks ?? [])
      .map((one) => ({ time: one.time, away: Math.abs(this.place.x(one.time) - px) }))
      .filter((one) => one.away <= NEAR).sort((a, b) => a.away - b.away)[0];
    this.pointAt(near?.time ?? this.place.time(px), row);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.place) return;
    const { from, to, width, label } = this.place;
    const step = (to - from) / (width - label);
    const at = this.cursor ?? this.now();
    const go = {
      ArrowLeft: () => event.shiftKey ? this.nextMark(at, -1) : at - step,
      ArrowRight: () => event.shiftKey ? this.nextMark(at, 1) : at + step,
      PageDown: () => at - 20 * step, PageUp: () => at + 20 * step,
      Home: () => from, End: () => to,
      ArrowUp: () => this.turn(-1) ?? at, ArrowDown: () => this.turn(1) ?? at,
    }[event.key];
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.choose(at);
    } else if (event.key === "Escape") {
      this.leave();
    } else if (go) {
      event.preventDefault();
      this.pointAt(go(), this.row ?? 0);
    }
  }

  turn(step) {
    this.row = Math.max(0, Math.min(this.rows.length - 1, (this.row ?? 0) + step));
  }

  nextMark(at, step) {
    const row = this.rows[this.row ?? 0];
    const times = (row?.marks ?? []).map((one) => one.time)
      .concat((row?.gaps ?? []).flatMap((one) => [one.from, one.to ?? this.now()]));
    const ahead = times.filter((one) => (one - at) * step > 0.5).sort((a, b) => (a - b) * step);
    return ahead[0] ?? at;
  }

  pointAt(ms, row) {
    if (!this.place || !this.rows.length) return;
    const { from, to, x } = this.place;
    this.cursor = Math.floor(Math.max(from, Math.min(to, ms)));
    this.row = row ?? 0;
    const px = x(this.cursor);
    this.line.setAttribute("x1", px);
    this.line.setAttribute("x2", px);
    this.line.setAttribute("visibility", "visible");
    const lines = this.describe(this.rows[this.row], this.cursor);
    this.tip.replaceChildren(make("strong", {}, `${exact(this.cursor)} UTC`),
      ...lines.map((text) => make("span", {}, text)));
    this.tip.hidden = false;
    const wide = this.tip.offsetWidth;
    const room = this.plot.clientWidth;
    this.tip.style.left = `${Math.max(0, Math.min(room - wide, px - wide / 2))}px`;
    this.tip.style.top = `${TOP + (this.row + 1) * this.place.height + 4}px`;
    this.plot.setAttribute("aria-valuenow", Math.round(this.cursor));
    this.plot.setAttribute("aria-valuetext", `${exact(this.cursor)} UTC. ${lines.join(". ")}`);
  }

  /** What is known of one source at a moment, in words. */
  describe(row, at) {
    const slack = (this.place.to - this.place.from) / this.place.width;
    const lines = [row.name];
    for (const one of row.marks ?? []) if (Math.abs(one.time - at) <= slack) lines.push(one.words);
    const gap = (row.gaps ?? []).find((one) => one.from <= at && at <= (one.to ?? Infinity));
    if (gap) lines.push(`history lost, ${gap.first} to ${gap.last}: ${gap.reason}`);
    const isIn = (row.windows ?? []).some((one) => one.from <= at && at <= one.to);
    lines.push(isIn ? "can be restored" : "cannot be restored");
    const where = placeAt(row, at);
    if (where) lines.push(where);
    return lines;
  }

  /** Keeps a sign at the moment that was chosen. */
  mark(ms) {
    this.chosen = ms;
    this.draw();
  }

  // The same in words

  fillTable() {
    const rows = this.rows.flatMap((row) => [
      ...(row.windows ?? []).map((one) => [row.name, "recovery window", one.from, one.to,
        one.first ? `${one.first} to ${one.last}` : ""]),
      ...(row.gaps ?? []).map((one) => [row.name, `history lost: ${one.reason}`, one.from, one.to,
        `${one.first} to ${one.last}`]),
      ...(row.marks ?? []).map((one) => [row.name, one.words, one.time, null, one.position]),
    ]).sort((a, b) => b[2] - a[2]);
    const head = ["Source", "What", "From (UTC)", "To (UTC)", "Position"];
    const shown = rows.slice(0, ROWS);
    this.table.lastElementChild.replaceChildren(make("table", {},
      make("caption", {}, rows.length > ROWS ? `The newest ${ROWS} of ${rows.length}`
        : `${rows.length} entries, newest first`, this.searching
        ? `; ${this.searching} still searched for what was taken away` : ""),
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...shown.map(([name, what, from, to, position]) => make("tr", {},
        make("th", { scope: "row" }, name), make("td", {}, what), make("td", {}, exact(from)),
        make("td", {}, to == null ? "" : exact(to)), make("td", {}, position ?? ""))))));
  }
}

function marksOf(source) {
  return [
    ...source.backups.map((one) => ({ kind: "backup", time: instant(one.finished),
      position: one.position,
      words: `base backup, ${bytes(one.bytes)}, ${bytes(one.stored_bytes)} stored` })),
    ...source.points.map((one) => ({ kind: "point", time: instant(one.time),
      position: one.position, words: `mark ${one.name}` })),
    ...source.events.map((one) => ({ kind: "event", time: instant(one.time),
      position: one.position,
      words: `${one.action}${one.place && ` in ${one.place}`}, event ${one.id}` })),
  ];
}

/** The narrowest statement that the archive allows about the position at a moment. */
function placeAt(row, at) {
  let least = null;
  let most = null;
  for (const one of row.places ?? []) {
    if (one.at_least != null && one.time <= at && !(least && least.time > one.time)) least = one;
    if (one.at_most != null && one.time >= at && !(most && most.time < one.time)) most = one;
  }
  const isOne = least && most && least.timeline === most.timeline;
  const on = (one) => `on timeline ${one.timeline.slice(0, 8)}`;
  if (isOne && least.at_least === most.at_most) {
    return `position ${least.at_least} ${on(least)}`;
  }
  if (isOne) return `position between ${least.at_least} and ${most.at_most}, ${on(least)}`;
  if (least) return `position ${least.at_least} or later, ${on(least)}`;
  return most ? `position ${most.at_most} or earlier, ${on(most)}` : null;
}

/** Bytes archived, in columns of a few pixels, by a scale (root) that shows little work too. */
function activityPath(row, y, { x, from, to, height, label, width }) {
  if (!row.activity?.length) return null;
  const wide = 3;
  const columns = new Map();
  for (const one of row.activity) {
    if (!one.bytes || one.time < from || one.time > to) continue;
    const column = Math.floor((x(one.time) - label) / wide);
    columns.set(column, (columns.get(column) ?? 0) + one.bytes);
  }
  const most = Math.max(1, ...columns.values());
  let path = "";
  for (const [column, size] of columns) {
    const tall = Math.max(1, Math.sqrt(size / most) * (height - 12));
    const left = label + column * wide;
    if (left > width - 8) continue;
    path += `M${left} ${y + height - 5}v${-tall.toFixed(1)}h${wide - 1}v${tall.toFixed(1)}z`;
  }
  return draw("path", { class: "activity", d: path });
}

function markSign(one, y, { x, from, to, height }) {
  if (one.time < from || one.time > to) return null;
  return shape(one.kind, x(one.time), y + height / 2, Math.min(6, height / 4));
}

/** A diamond for a base backup, a flag for a mark, a cross for an event: told apart by shape. */
function shape(kind, x, y, r) {
  const path = kind === "backup"
    ? `M${x} ${y - r}l${r} ${r}l${-r} ${r}l${-r} ${-r}z`
    : kind === "event" ? `M${x - r} ${y - r}l${2 * r} ${2 * r}m${-2 * r} 0l${2 * r} ${-2 * r}`
    : `M${x} ${y + r + 2}v${-2 * r - 4}l${r * 1.5} ${r * 0.7}l${-r * 1.5} ${r * 0.7}`;
  return draw("path", { class: kind, d: path });
}

function hatch() {
  return draw("defs", {}, draw("pattern", { id: "hatch", width: 6, height: 6,
    patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
  draw("line", { class: "hatch", x1: 0, x2: 0, y1: 0, y2: 6 })));
}

function legendSign(kind) {
  const sign = ["backup", "point", "event"].includes(kind) ? shape(kind, 9, 8, 5)
    : kind === "activity"
      ? draw("path", { class: kind, d: "M2 14v-4h3v4zM6 14v-9h3v9zM10 14v-6h3v6z" })
      : draw("g", {}, draw("rect", { class: kind, x: 1, y: 3, width: 16, height: 10, rx: 3 }),
        kind === "gap" && draw("path", { class: "hatch",
          d: "M4 13 10 3M9 13 15 3" }));
  return draw("svg", { viewBox: "0 0 18 16", "aria-hidden": "true" }, sign);
}
