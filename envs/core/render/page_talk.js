// What language models said, beside the step for which they said it; subgoals as segments of one colour and one name.

// Okabe and Ito's colours, which people with any of the common kinds of colour blindness can tell apart.
const SEGMENTS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c7a00"];

// Put the talk into its place; returns a function that shows what belongs to a step, or null if nothing was said.
function talkPanel(talk, last, part, seek) {
  if (!talk.length) return null;
  const list = part("sayings"), colours = segmentColours(talk);
  const items = talk.map((saying) => sayingItem(saying, colours.get(saying.segment), seek));
  list.append(...items);
  part("talk").hidden = false;
  if (colours.size) drawSegments(part("segments"), talk, last, colours);
  return (now) => {
    let first = null;
    talk.forEach((saying, i) => {
      const here = saying.step === now;
      items[i].classList.toggle("now", here);
      if (here) { items[i].setAttribute("aria-current", "step"); first = first || items[i]; }
      else items[i].removeAttribute("aria-current");
    });
    if (first) list.scrollTop = first.offsetTop - 8;
  };
}

function segmentColours(talk) {
  const names = [...new Set(talk.map((saying) => saying.segment).filter(Boolean))];
  return new Map(names.map((name, i) => [name, SEGMENTS[i % SEGMENTS.length]]));
}

function sayingItem(saying, colour, seek) {
  const item = document.createElement("li"), head = document.createElement("div"), go = document.createElement("button");
  if (colour) item.style.setProperty("--segment", colour);
  go.type = "button";
  go.className = "quiet";
  go.textContent = `step ${saying.step}`;
  go.onclick = () => seek(saying.step);
  head.className = "head";
  head.append(go, saying.who);
  if (saying.segment) head.append(withClass("span", "segment", saying.segment));
  if (saying.status !== "ok") head.append(withClass("span", "status", saying.status));
  if (saying.note) head.append(withClass("span", "note", saying.note));
  item.append(head, withClass("p", "said", saying.said || "(nothing)"));
  if (saying.asked) {
    const more = document.createElement("details");
    more.append(withClass("summary", "", "what it was told"), withClass("pre", "", saying.asked));
    item.append(more);
  }
  return item;
}

// A strip as wide as the episode, of the first seat that spoke: each segment lasts until the next one begins.
function drawSegments(strip, all, last, colours) {
  const span = Math.max(last, 1), talk = all.filter((s) => s.who === all[0].who);
  const starts = talk.filter((saying, i) => i === 0 || saying.segment !== talk[i - 1].segment);
  starts.forEach((saying, i) => {
    if (!colours.has(saying.segment)) return;
    const end = i + 1 < starts.length ? starts[i + 1].step : last, piece = document.createElement("i");
    piece.title = saying.segment;
    piece.style.setProperty("--segment", colours.get(saying.segment));
    piece.style.setProperty("--from", `${100 * saying.step / span}%`);
    piece.style.setProperty("--width", `${100 * (end - saying.step) / span}%`);
    strip.append(piece);
  });
  strip.hidden = false;
}

// The episode as seats read it: a list of what was done at each step, and in full what they were told before it. Returns a
// function that shows a step, or null if there are no words.
function wordsPanel(words, part, seek) {
  if (!words || !words.rows.length || !part("words")) return null;
  const rows = words.rows.map(([step, ...texts]) => [step, ...texts.map((i) => words.texts[i])]);
  const list = part("deeds"), several = new Set(rows.map(([, who]) => who)).size > 1;
  const items = rows.map(([step, who, , did]) => {
    const item = document.createElement("li"), go = withClass("button", "quiet", `step ${step}`);
    go.type = "button";
    go.onclick = () => seek(step);
    go.tabIndex = -1;                          // a step has keys of its own; nobody wants hundreds of stops on the way
    item.append(go, ...(several ? [withClass("span", "who", who)] : []), withClass("span", "did", did || "(the end)"));
    return item;
  });
  list.append(...items);
  part("words").hidden = false;
  let shown = [];
  return (now) => {
    for (const item of shown) { item.classList.remove("now"); item.removeAttribute("aria-current"); }
    const here = rows.flatMap(([step], i) => step === now ? [i] : []);
    shown = here.map((i) => items[i]);
    for (const item of shown) { item.classList.add("now"); item.setAttribute("aria-current", "step"); }
    if (shown.length) list.scrollTop = shown[0].offsetTop - list.clientHeight / 3;
    part("told").replaceChildren(...here.map((i) => {
      const box = document.createElement("div");
      if (several) box.append(withClass("p", "who", rows[i][1]));
      box.append(withClass("p", "read", rows[i][2]));
      if (rows[i][3]) box.append(withClass("p", "did", rows[i][3]));
      return box;
    }));
  };
}
