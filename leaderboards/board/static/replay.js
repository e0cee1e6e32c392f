// The replay page of a track: choose agents and an episode, load their movies, play them at the same step.
"use strict";

const arrived = new Map();                     // movies by digest and number, as their scripts hand them over
function ludariumMovie(digest, number, packed) { arrived.set(`${digest}/${number}`, packed); }

const board = document.getElementById("replay").dataset;   // where the board's root is, and what links to folders end in
const field = (name) => document.getElementById(name === "episode" ? name : `agent-${name}`);
const agentOf = (digest) => [...field("a").options].find((option) => option.value === digest);

// "0-2,7" has 0, 1, 2 and 7.
function has(ranges, number) {
  return ranges.split(",").some((range) => {
    const [low, high = low] = range.split("-").map(Number);
    return range !== "" && low <= number && number <= high;
  });
}

function choices() {
  field("b").append(...[...field("a").options].map((option) => option.cloneNode(true)));
  const query = new URLSearchParams(location.search), chosen = {};
  for (const name of ["a", "b", "episode"]) chosen[name] = query.get(name) || "";
  if (!query.has("a")) {                       // what is shown to those who did not choose
    const [first, second] = [...field("a").options];
    chosen.a = first.value;
    chosen.b = second && !query.has("episode") ? second.value : chosen.b;
  }
  const both = [chosen.a, chosen.b].map(agentOf).filter(Boolean);
  if (chosen.episode === "") {
    const known = [...field("episode").options].map((option) => option.value);
    chosen.episode = known.find((number) => both.every((option) => has(option.dataset.episodes, Number(number)))) || "0";
  }
  for (const name of ["a", "b", "episode"]) field(name).value = chosen[name];
  return chosen;
}

function offer() {
  const both = [field("a").value, field("b").value].map(agentOf).filter(Boolean);
  for (const option of field("episode").options) {
    option.disabled = !both.every((agent) => has(agent.dataset.episodes, Number(option.value)));
  }
}

function address(chosen) {
  const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value !== ""));
  return `?${query}`;
}

function load(digest, number) {
  const key = `${digest}/${number}`, script = document.createElement("script");
  script.src = `${board.root}movies/${digest}/${String(number).padStart(4, "0")}.js`;
  return new Promise((done, fail) => {
    script.onload = () => arrived.has(key) ? done(readMovie(arrived.get(key))) : fail(new Error("the movie is damaged"));
    script.onerror = async () => fail(new Error(await why(script.src)));
    document.head.append(script);
  });
}

// What the server says in place of a movie; a page from a disk can only say that there is none.
async function why(src) {
  const plain = "There is no movie of this episode here. From the submission's file, `ludarium replay` makes one.";
  if (location.protocol === "file:") return plain;
  try {
    const answer = await fetch(src), said = await answer.json();
    return said.what || plain;
  } catch { return plain; }
}

// The first step after which the worlds differ, or only one still goes on; null if there is none.
function firstDifference(a, b) {
  const both = Math.min(a.marks.length, b.marks.length);
  for (let t = 0; t < both; t++) if (a.marks[t] !== b.marks[t]) return t;
  return a.marks.length === b.marks.length ? null : both;
}

const sameEpisode = (a, b) => ["case", "seed", "trial"].every((name) => a.meta[name] === b.meta[name]);

class Side {
  constructor(letter, digest) {
    this.letter = letter;
    this.option = agentOf(digest);
    this.name = this.option ? this.option.dataset.name : digest.slice(0, 12);
    this.root = document.querySelector(`[data-side="${letter}"]`);
    this.part("name").textContent = this.name;
    if (this.option) this.part("name").href = `${board.root}submissions/${digest}/${board.index}`;
  }

  part(name) { return this.root.querySelector(`[data-part="${name}"]`); }

  async fetch(digest, number) {
    try {
      if (!this.option) throw new Error("No verified submission of this track has this digest.");
      this.movie = await load(digest, number);
      this.part("body").hidden = false;
    } catch (error) {
      this.part("trouble").textContent = error.message;
      this.part("trouble").hidden = false;
    }
  }
}

function curvesOf(sides) {
  const box = document.getElementById("curves"), names = [...new Set(sides.flatMap((side) => Object.keys(side.movie.series)))];
  return (player) => names.map((name) => {
    const lines = sides.filter((side) => side.movie.series[name])
      .map((side) => ({ values: side.movie.series[name], name: sides.length > 1 ? side.letter.toUpperCase() : "" }));
    return curve(box, name, lines, (t) => player.seek(t));
  });
}

function results(sides) {
  const table = document.getElementById("results"), head = table.createTHead().insertRow(), body = table.createTBody();
  const header = (row, scope, text) => { const made = withClass("th", "", text); made.scope = scope; row.append(made); };
  header(head, "col", "figure");
  for (const side of sides) header(head, "col", sides.length > 1 ? `${side.letter.toUpperCase()}: ${side.name}` : side.name);
  const say = (value) => typeof value === "number" ? figure(value) : value === undefined || value === null ? "–" : String(value);
  const rows = new Set(sides.flatMap((side) => Object.keys(side.movie.metrics)));
  const add = (name, values) => {
    const row = body.insertRow();
    header(row, "row", name.replaceAll("_", " "));
    for (const value of values) row.append(withClass("td", "", say(value)));
  };
  add("steps", sides.map((side) => side.movie.steps - 1));
  for (const name of rows) if (name !== "steps") add(name, sides.map((side) => side.movie.metrics[name]));
  add("digest", sides.map((side) => side.movie.meta.digest));
}

function differing(sides) {
  const button = document.getElementById("differ"), keys = {};
  if (sides.length < 2) return keys;
  const [a, b] = sides.map((side) => side.movie), same = sameEpisode(a, b), first = same ? firstDifference(a, b) : null;
  button.hidden = false;
  button.disabled = first === null;
  button.textContent = !same ? "Not the same episode" : first === null ? "No difference" : `First difference: step ${first}`;
  if (first !== null) keys.x = () => button.click();
  return { keys, first, same };
}

async function open() {
  const chosen = choices(), state = document.getElementById("state"), asked = new URLSearchParams(location.search);
  offer();
  field("a").onchange = field("b").onchange = offer;
  document.getElementById("choose").onsubmit = (event) => {
    event.preventDefault();
    location.href = address({ a: field("a").value, b: field("b").value, episode: field("episode").value });
  };
  if (!asked.has("a") || !asked.has("episode")) { location.replace(address(chosen) + location.hash); return; }
  state.textContent = "Loading; the first to ask for an episode waits some seconds while it is played again.";
  const number = Number(chosen.episode), sides = [new Side("a", chosen.a)];
  if (chosen.b) sides.push(new Side("b", chosen.b));
  document.getElementById("replay").classList.toggle("one", sides.length === 1);
  document.querySelector('[data-side="b"]').hidden = sides.length === 1;
  await Promise.all(sides.map((side) => side.fetch(side.letter === "a" ? chosen.a : chosen.b, number)));
  document.getElementById("stage").hidden = false;
  document.getElementById("chooser").open = !window.matchMedia("(max-width: 640px)").matches;   // a phone has no room for both
  const there = sides.filter((side) => side.movie);
  if (!there.length) { state.textContent = "This episode cannot be shown."; return; }
  const { case: name, seed, trial } = there[0].movie.meta;
  state.textContent = `Episode ${number}: ${name}, seed ${seed}, trial ${trial}; ${there.map((side) => side.name).join(" and ")}.`;
  const { keys = {}, first, same } = differing(there);
  if (same === false) state.textContent += " The two did not play the same episode: their seeds are their own.";
  const player = new Player(there.map((side) => new View(side.movie, (part) => side.part(part))), {
    curves: curvesOf(there), keys, scrolls: true,
  });
  document.getElementById("differ").onclick = () => { player.pause(); player.seek(first); };
  results(there);
}

open().then(() => { document.documentElement.dataset.ready = "yes"; }, (error) => {
  document.getElementById("state").textContent =
    "This browser cannot unpack the recording; it needs DecompressionStream (2023 or newer).";
  console.error(error);
});
