// The page: the door, the live feed, the verdict. No number on it may be too good: an exposure
// grows by this machine's own clock from the moment its document was made, feed or no feed.

import { Axis } from "/dashboard-axis.js";
import { Card } from "/dashboard-card.js";
import { ask } from "/dashboard-moment.js";
import { exact, instant, make, mood, objective, objectives, seconds, sign, write }
  from "/dashboard-words.js";

const byId = (id) => document.getElementById(id);
/** Without a document for so long, in ms, the feed counts as lost. */
const PATIENCE = 4000;

/** What is known; `cards` by name, in the order of the configuration. */
const page = { document: null, made: 0, heard: -1e9, anchor: null, cards: new Map(), lost: null };

// Clocks

let total = 0;
let marks = { steady: performance.now(), wall: Date.now() };

/** Milliseconds that only grow. The steady clock may stand still while a laptop sleeps, the wall
 * clock may be set: the one that went further counts. */
function now() {
  const next = { steady: performance.now(), wall: Date.now() };
  total += Math.max(0, next.steady - marks.steady, next.wall - marks.wall);
  marks = next;
  return total;
}

/** The sidecar's time at this moment. */
const serverNow = () =>
  page.anchor ? page.anchor.server + now() - page.anchor.local : Date.now();

// Asking

const token = () => sessionStorage.getItem("tidemark-token");

/** A GET with the token. Throws the sentence of the answer when it is not a good one. */
async function get(path, options = {}) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  const answer = await fetch(path, { headers, cache: "no-store", ...options });
  if (answer.ok) return answer;
  const text = await answer.json().then((body) => body.problem, () => answer.statusText);
  throw Object.assign(new Error(text), { status: answer.status });
}

/** A status asked for: it was made after the question was sent, so that its age is known. */
async function readStatus() {
  const sent = now();
  const document = await (await get("/api/status")).json();
  page.anchor = { server: instant(document.time), local: sent };
  take(document);
}

/** Takes a document that came by itself. How long it was on its way is told by its own time. */
function takeLive(document) {
  const late = now() - page.anchor.local - (instant(document.time) - page.anchor.server);
  const isDoubtful = Math.abs(late) > 1500 || now() - page.anchor.local > 60_000;
  take(document);
  return isDoubtful ? readStatus() : undefined;
}

function take(document) {
  const made = page.anchor.local + instant(document.time) - page.anchor.server;
  page.made = Math.min(made, now());
  page.heard = now();
  page.document = document;
  show();
}

/** Listens until the feed breaks; the browser's own EventSource could not carry the token. */
async function listen(signal) {
  const answer = await get("/api/live", { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop();
    // Only the newest counts.
    const data = events.map(dataOf).filter((text) => text).pop();
    if (data) await takeLive(JSON.parse(data));
  }
}

const dataOf = (event) => event.split("\n").filter((line) => line.startsWith("data: "))
  .map((line) => line.slice(6)).join("\n");

/** Listens for ever, with growing pauses after failures. */
async function follow() {
  let pause = 500;
  for (;;) {
    const begun = page.heard;
    const end = new AbortController();
    const watch = setInterval(() => now() - page.heard > 2 * PATIENCE && end.abort(), 1000);
    try {
      await readStatus();
      await listen(end.signal);
    } catch (error) {
      if (error.status === 401) {
        clearInterval(watch);
        return openDoor(token() ? "This token was refused." : "");
      }
    }
    clearInterval(watch);
    pause = page.heard > begun + 5000 ? 500 : Math.min(pause * 2, 5000);
    await new Promise((done) => setTimeout(done, pause * (0.75 + Math.random() / 2)));
  }
}

// The door

function openDoor(why) {
  sessionStorage.removeItem("tidemark-token");
  byId("page").hidden = true;
  byId("door").hidden = false;
  write(byId("refused"), why);
  setLink("waiting", "locked");
  byId("token").focus();
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("tidemark-token", byId("token").value.trim());
  byId("token").value = "";
  byId("door").hidden = true;
  start();
});

// Showing

const axis = new Axis(byId("axis"),
  { now: serverNow, choose: chooseMoment, look: (hours) => readHistory(hours) });

function setLink(kind, text) {
  byId("link").dataset.link = kind;
  write(byId("link").lastElementChild, text);
}

/** Everything that a new document changes. */
function show() {
  byId("page").hidden = false;
  const names = page.document.sources.map((source) => source.name);
  if (names.join() !== [...page.cards.keys()].join()) {
    page.cards = new Map(names.map((name) => [name, new Card(name)]));
    byId("cards").replaceChildren(...[...page.cards.values()].map((card) => card.element));
    byId("cards").classList.toggle("many", names.length > 8);
    axis.setSources(page.document.sources);
    readHistory(24);
    if (axis.hours !== 24) readHistory();
  }
  axis.live(page.document.sources);
  tick();
}

/** Everything that time alone changes: four times a second. */
function tick() {
  if (!page.document) return;
  const age = Math.max(0, now() - page.made) / 1000;
  const isLost = now() - page.heard > PATIENCE;
  showLink(isLost);
  const moods = page.document.sources.map((source) => {
    const exposure = source.exposure_seconds == null ? null : source.exposure_seconds + age;
    const verdict = objective(exposure, source);
    const mind = mood(source, verdict);
    const card = page.cards.get(source.name);
    card.show(source, { exposure, verdict, mood: mind, now: serverNow(), isLost });
    return { source, exposure, verdict, mood: mind };
  });
  showVerdict(moods, isLost);
  announce(moods);
}

function showLink(isLost) {
  if (isLost && page.lost == null) page.lost = Date.now() - (now() - page.heard);
  if (!isLost) page.lost = null;
  setLink(isLost ? "lost" : "live", isLost ? "not connected" : "live");
  document.body.classList.toggle("lost", isLost);
  const banner = byId("banner");
  banner.hidden = !isLost;
  write(banner, isLost
    ? `Not connected since ${exact(page.lost).slice(11, 19)} UTC: everything below is old. `
      + "Exposure goes on growing as if nothing had been archived since."
    : "");
}

function showVerdict(moods, isLost) {
  const bad = moods.filter((one) => one.mood !== "ok");
  const all = moods.length === 1 ? "The source is" : `All ${moods.length} sources are`;
  const text = !moods.length ? "No source is archived"
    : !bad.length ? `${all} within ${moods.length === 1 ? "its" : "their"} objective`
      : `${bad.length} of ${moods.length} sources need${bad.length === 1 ? "s" : ""} attention`;
  const { url, state } = page.document.repository;
  const isStuck = state !== "ok";
  write(byId("verdict"), isLost ? "Not known: the sidecar does not answer"
    : isStuck ? "The archive does not take what is to be kept" : text);
  const worst = isStuck || moods.some((one) => one.mood === "bad") ? "bad"
    : bad.length ? "warn" : "ok";
  byId("verdict").className = isLost || !moods.length ? "bad" : worst;
  write(byId("about"), `${exact(serverNow()).slice(0, 19)} UTC · archive ${url} · ${
    state === "ok" ? "answers" : state}`);
  byId("about").className = state === "ok" ? "" : "bad";
  document.title = `${isLost ? "? " : bad.length || isStuck
    ? `${bad.length || ""}${bad.length ? " " : ""}! ` : ""}Tidemark`;
  showTroubles(bad.sort((a, b) => (a.mood < b.mood ? -1 : a.mood > b.mood ? 1 : 0)));
}

function showTroubles(bad) {
  const list = byId("troubles");
  const key = bad.map((one) => `${one.source.name} ${one.verdict} ${one.source.state}`).join();
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.hidden = !bad.length;
  list.replaceChildren(...bad.slice(0, 12).map((one) => make("li", {},
    make("a", { href: `#source-${one.source.name}`, class: one.mood }, sign(one.mood),
      `${one.source.name}: ${headline(one)}`))));
}

const headline = (one) => one.exposure == null ? "nothing is proved to be restorable"
  : one.verdict === "breached" ? "objective breached"
    : one.source.state !== "streaming" && one.source.state !== "catching-up" ? one.source.state
      : "over half of the objective used";

/** A change of state is said once; a number that ticks never is. */
function announce(moods) {
  const news = moods.filter((one) => {
    const key = `${one.source.state} ${one.verdict}`;
    const card = page.cards.get(one.source.name);
    const isNews = card.said != null && card.said !== key;
    card.said = key;
    return isNews;
  }).map((one) => `${one.source.name}: ${one.source.state}, objective ${
    objectives[one.verdict]}${
    one.exposure == null ? "" : `, ${seconds(one.exposure)} could be lost`}`);
  if (news.length) write(byId("said"), news.slice(0, 5).join(". "));
}

// What changes slowly

/** A day for the cards, and as many hours as the axis shows; only the newest question counts. */
async function readHistory(hours = axis.hours) {
  page.asked = hours;
  try {
    const history = await (await get(`/api/history?hours=${hours}`)).json();
    if (hours === 24) {
      for (const { name, points } of history.sources) page.cards.get(name)?.setHistory(points);
    }
    if (hours === page.asked) axis.setActivity(history);
  } catch (error) {
    // An archive without a history yet: the curve begins with this page.
    if (error.status !== 404) setTimeout(readHistory, 15_000, hours);
  }
}

let timer = null;

async function readTimeline() {
  clearTimeout(timer);
  try {
    axis.setTimeline(await (await get("/api/timeline")).json());
  } catch (error) {
    if (error.status === 401) return;
  }
  timer = setTimeout(readTimeline, 30_000);
}

async function chooseMoment(ms) {
  axis.mark(ms);
  await ask(byId("moment"), ms, { get, jump: chooseMoment, field: byId("at") });
}

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("at").value.trim();
  const ms = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) {
    byId("moment").replaceChildren(make("p", { class: "bad" },
      "This is no time. Write it with its zone: 2026-11-24T12:00:00.250Z"));
  } else {
    chooseMoment(ms);
  }
});

function start() {
  // A link cannot carry the token.
  document.querySelector("footer").hidden = token() != null;
  follow();
  readTimeline();
}

setInterval(tick, 250);
// Redraws at the pace of what they show: a curve has a point a minute.
setInterval(() => {
  for (const card of page.cards.values()) card.drawCurve(serverNow());
  axis.draw();
}, 10_000);
start();
