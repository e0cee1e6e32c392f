// Small parts of the page that know nothing of the player: a legend's entry, a curve, figures, a passing message.

const SVG = "http://www.w3.org/2000/svg";

function legendItem(sprites, painter) {
  const item = document.createElement("li"), svg = element("svg", { viewBox: "-1 -1 2 2", "aria-hidden": "true" });
  const corners = OUTLINES[sprites.form], fill = painter.paint(sprites.styles[0])[0];
  const paint = { fill, stroke: fill, "stroke-width": 0.22, "fill-opacity": HOLLOW.has(sprites.form) ? TINT : 1 };
  svg.append(corners ? element("polygon", { points: corners.join(" "), ...paint }) : element("circle", { r: 0.9, ...paint }));
  item.append(svg, sprites.title || sprites.name);
  return item;
}

// Put a curve, or several in one frame, into a box; returns a function that moves the cursor. A click goes to that step.
// Each of `lines` has `values`, one a step, and where there are several a `name`.
function curve(box, title, lines, seek) {
  const last = Math.max(...lines.map((line) => line.values.length)) - 1, width = Math.max(last, 1);
  const figures = lines.flatMap((line) => line.values.filter((v) => v !== null));
  const low = Math.min(0, ...figures), high = Math.max(...figures, low + 1e-9);
  const y = (v) => (40 - 38 * (v - low) / (high - low)).toFixed(2);
  const svg = element("svg", { viewBox: `0 0 ${width} 41`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const cursor = element("line", { class: "cursor", y1: 0, y2: 41 });
  svg.append(element("line", { class: "base", x1: 0, x2: width, y1: 40, y2: 40 }));
  lines.forEach(({ values }, k) => {
    const points = values.map((v, t) => v === null ? "" : `${t},${y(v)}`).filter(Boolean);
    const [first, end] = points.length ? [points[0], points[points.length - 1]].map((p) => p.split(",")[0]) : [0, 0];
    if (lines.length === 1) svg.append(element("polygon", { class: "area", points: `${first},40 ${points.join(" ")} ${end},40` }));
    svg.append(element("polyline", { class: `trace line-${k}`, points: points.join(" ") }));
  });
  svg.append(cursor);
  const frame = document.createElement("div"), head = withClass("p", "", "");
  const now = lines.map((_, k) => withClass("span", `now line-${k}`, ""));
  head.append(withClass("span", "", title.replaceAll("_", " ")), ...now);
  frame.className = "curve";
  frame.append(head, svg);
  frame.onclick = (event) => {
    const at = svg.getBoundingClientRect();
    seek(Math.round(Math.min(Math.max((event.clientX - at.left) / at.width, 0), 1) * last));
  };
  box.append(frame);
  return (time) => {
    cursor.setAttribute("x1", time);
    cursor.setAttribute("x2", time);
    lines.forEach(({ values, name }, k) => {
      const value = values[Math.min(Math.floor(time), values.length - 1)], figures = value === null ? "–" : figure(value);
      const text = name ? `${name} ${figures}` : figures;
      if (now[k].textContent !== text) now[k].textContent = text;
    });
  };
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function withClass(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

function figure(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(4)));
}

// A place in a grid is named by its cell; elsewhere to a tenth.
function cell(v) { return Number.isInteger(v - 0.5) ? v - 0.5 : v.toFixed(1); }

function savedTheme() {
  try { return localStorage.getItem("ludarium-theme"); } catch { return null; }
}

function copyByHand(text) {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

function toast(text) {
  const old = document.getElementById("toast");
  if (old) old.remove();
  const box = document.createElement("p");
  box.id = "toast";
  box.setAttribute("role", "status");
  box.textContent = text;
  document.body.append(box);
  setTimeout(() => box.remove(), 2500);
}
