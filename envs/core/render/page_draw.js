// Draws a moment of the movie on a canvas; knows nothing of buttons.

const OUTLINES = {
  diamond: [[0, -1], [1, 0], [0, 1], [-1, 0]],
  square: [[-0.86, -0.86], [0.86, -0.86], [0.86, 0.86], [-0.86, 0.86]],
  triangle: [[0, -1], [0.866, 0.5], [-0.866, 0.5]],
};
const HOLLOW = new Set(["ring", "diamond"]);
const STROKE = 0.18, TINT = 0.16;              // as in forms.py
const TYPE_BY_DIGITS = [1.15, 1.15, 1.0, 0.78, 0.6];
const NARROW = 0.85;
const SMALLEST_TYPE = 5;                       // pixels
const TOGETHER = 100;                          // sprites in one path
const TRAIL = 60;                              // steps
const FACE = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

class Painter {
  constructor(canvas, movie) {
    this.canvas = canvas;
    this.movie = movie;
    this.context = canvas.getContext("2d");
    this.bitmaps = new Map();
    this.zoom = 1;
    this.x = movie.width / 2;                  // the middle of what is seen, in units
    this.y = movie.height / 2;
    this.setTheme("light");
  }

  setTheme(name) {
    this.theme = this.movie.themes[name];
    this.dark = name === "dark";
    this.bitmaps.clear();
  }

  paint(style) {
    if (style.startsWith("#")) return [style, "", this.theme.text[0]];
    while (!this.theme[style]) {
      const dot = style.lastIndexOf(".");
      if (dot < 0) return this.theme["accent.1"];
      style = style.slice(0, dot);
    }
    return this.theme[style];
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    this.across = Math.max(box.width, 1);
    this.down = Math.max(box.height, 1);
    this.canvas.width = Math.round(this.across * this.ratio);
    this.canvas.height = Math.round(this.down * this.ratio);
  }

  get fit() {
    const margin = Math.min(20, 0.02 * this.across + 8);
    return Math.min((this.across - 2 * margin) / this.movie.width, (this.down - 2 * margin) / this.movie.height);
  }

  get unit() { return Math.max(this.fit, 1e-6) * this.zoom; }
  get furthest() { return Math.max(1, 90 / this.fit); }

  // Keep the world in sight: centred where it fits, otherwise no further out than its edge.
  clamp() {
    this.zoom = Math.min(Math.max(this.zoom, 1), this.furthest);
    const unit = this.unit, margin = 16 / unit;
    const halfX = this.across / unit / 2, halfY = this.down / unit / 2;
    const within = (v, half, size) =>
      2 * half >= size + 2 * margin ? size / 2 : Math.min(Math.max(v, half - margin), size - half + margin);
    this.x = within(this.x, halfX, this.movie.width);
    this.y = within(this.y, halfY, this.movie.height);
  }

  toWorld(px, py) {
    return [(px - this.across / 2) / this.unit + this.x, (py - this.down / 2) / this.unit + this.y];
  }

  draw(time, followed) {
    const c = this.context, unit = this.unit * this.ratio;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.globalAlpha = 1;
    c.fillStyle = this.paint("background")[0];
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.left = this.canvas.width / 2 - this.x * unit;
    this.top = this.canvas.height / 2 - this.y * unit;
    this.scale = unit;
    this.now = Math.min(Math.floor(time), this.movie.steps - 1);
    this.time = time;
    this.followed = followed;
    for (const shape of this.movie.background) this.shape(shape, shape);
    if (followed) this.trail(followed);
    const drawn = this.movie.drawn[this.now];
    const next = this.movie.drawn[Math.min(this.now + 1, this.movie.steps - 1)];
    for (const index of drawn) {
      if (index < 0) this.sprites(this.movie.sprites[-1 - index]);
      else this.shape(this.movie.shapes[index], this.later(index, next));
    }
    if (followed) this.highlight(followed);
  }

  // The title of the topmost rectangle or disc under a point of the canvas, "" if there is none.
  titleAt(px, py) {
    const [x, y] = this.toWorld(px, py), shapes = this.movie.shapes;
    const seen = [...this.movie.background, ...this.movie.drawn[this.now].filter((i) => i >= 0).map((i) => shapes[i])];
    const under = (s) => s.kind === "rect" ? x >= s.x && y >= s.y && x <= s.x + s.width && y <= s.y + s.height
      : s.kind === "circle" && Math.hypot(x - s.x, y - s.y) <= s.radius;
    const found = seen.reverse().find((shape) => shape.title && under(shape));
    return found ? found.title : "";
  }

  // The same thing one step later, by its id: what a shape moves towards.
  later(index, next) {
    const shape = this.movie.shapes[index];
    if (!shape.id || next.includes(index)) return shape;
    for (const i of next) {
      const other = i >= 0 ? this.movie.shapes[i] : null;
      if (other && other.id === shape.id && other.kind === shape.kind) return other;
    }
    return shape;
  }

  shape(shape, later) {
    const c = this.context, s = this.scale, f = this.time - this.now;
    const style = shape.style || { line: "path", label: "text" }[shape.kind] || "accent.1";
    const [fill, stroke, ink] = this.paint(style);
    const mix = (name) => shape[name] + f * (later[name] - shape[name]);
    if (shape.kind === "tiles") return this.tiles(shape);
    c.globalAlpha = 1;
    c.fillStyle = fill;
    c.lineJoin = c.lineCap = "round";
    c.beginPath();
    if (shape.kind === "line" || shape.kind === "polygon") {
      shape.points.forEach(([x, y], k) => c[k ? "lineTo" : "moveTo"](this.left + x * s, this.top + y * s));
      if (shape.kind === "polygon") { c.closePath(); c.fill(); return; }
      c.strokeStyle = fill;
      c.lineWidth = (shape.width === undefined ? 0.1 : shape.width) * s;
      c.stroke();
      return;
    }
    const x = this.left + mix("x") * s, y = this.top + mix("y") * s;
    if (shape.kind === "label") {
      this.write(shape.text || "", x, y, (shape.size || 0.6) * s, fill, { start: "left", end: "right" }[shape.anchor] || "center");
    } else if (shape.kind === "circle") {
      c.arc(x, y, mix("radius") * s, 0, 2 * Math.PI);
      c.fill();
      if (shape.text) this.write(shape.text, x, y, Math.min(1.1, 2.6 / shape.text.length) * shape.radius * s, ink);
    } else {
      const wide = mix("width") * s, high = mix("height") * s;
      c.rect(x, y, wide, high);
      c.fill();
      if (stroke) { c.strokeStyle = stroke; c.lineWidth = this.ratio; c.stroke(); }
      if (shape.text) this.write(shape.text, x + wide / 2, y + high / 2, Math.min(0.6 * high, 1.5 * wide / shape.text.length), ink);
    }
  }

  write(text, x, y, height, colour, align = "center") {
    const c = this.context;
    if (height < 0.6 * SMALLEST_TYPE * this.ratio) return;
    c.font = `500 ${height.toFixed(1)}px ${FACE}`;
    c.textAlign = align;
    c.textBaseline = "alphabetic";
    c.fillStyle = colour;
    c.fillText(text, x, y + 0.35 * height);
  }

  // A grid is painted once, one pixel a square, and then only enlarged; thin lines part the squares when they are large.
  tiles(shape) {
    const c = this.context, s = this.scale, [rows, columns] = shape.shape;
    if (!rows || !columns) return;
    const edge = (shape.size === undefined ? 1 : shape.size) * s;
    let bitmap = this.bitmaps.get(shape);
    if (!bitmap) {
      bitmap = document.createElement("canvas");
      bitmap.width = columns;
      bitmap.height = rows;
      const image = new ImageData(columns, rows), pixels = new Uint32Array(image.data.buffer);
      const colours = shape.styles.map((style) => style ? pixelOf(this.paint(style)[0]) : 0);
      for (let k = 0, at = 0; k < shape.runs.length; k += 2) {
        pixels.fill(colours[shape.runs[k]], at, at += shape.runs[k + 1]);
      }
      bitmap.getContext("2d").putImageData(image, 0, 0);
      this.bitmaps.set(shape, bitmap);
    }
    const x = this.left + (shape.x || 0) * s, y = this.top + (shape.y || 0) * s;
    c.globalAlpha = 1;
    c.imageSmoothingEnabled = edge < 1.5;
    c.drawImage(bitmap, x, y, columns * edge, rows * edge);
    if (edge >= 9 * this.ratio) this.lines(x, y, edge, columns, rows);
  }

  lines(x, y, edge, columns, rows) {
    const c = this.context;
    c.strokeStyle = this.paint("grid")[0];
    c.lineWidth = 1;
    c.globalAlpha = Math.min(1, (edge / this.ratio - 8) / 8);
    c.beginPath();
    const snap = (v) => Math.round(v) + 0.5;
    for (let k = Math.max(0, Math.ceil(-x / edge)); k <= columns && x + k * edge <= this.canvas.width; k++) {
      c.moveTo(snap(x + k * edge), y);
      c.lineTo(snap(x + k * edge), y + rows * edge);
    }
    for (let k = Math.max(0, Math.ceil(-y / edge)); k <= rows && y + k * edge <= this.canvas.height; k++) {
      c.moveTo(x, snap(y + k * edge));
      c.lineTo(x + columns * edge, snap(y + k * edge));
    }
    c.globalCompositeOperation = this.dark ? "lighten" : "darken";
    c.stroke();
    c.globalCompositeOperation = "source-over";
    c.globalAlpha = 1;
  }

  outline(form, x, y, radius) {
    const c = this.context, corners = OUTLINES[form];
    if (!corners) {
      c.moveTo(x + radius, y);
      c.arc(x, y, radius, 0, 2 * Math.PI);
      return;
    }
    corners.forEach(([dx, dy], k) => c[k ? "lineTo" : "moveTo"](x + dx * radius, y + dy * radius));
    c.closePath();
  }

  // Sprites of one style share paths, not too many in one: filling a path costs more than its parts. Those too small
  // to show their form are plain dots.
  crowd(form, group, radius) {
    const c = this.context, hollow = HOLLOW.has(form), shade = c.globalAlpha;
    if (radius < 2 * this.ratio) {
      const edge = radius * (hollow ? 1.1 : 1.8);
      for (let j = 0; j < group.length; j += 3) c.fillRect(group[j] - edge / 2, group[j + 1] - edge / 2, edge, edge);
      return;
    }
    c.lineWidth = Math.max(STROKE * radius, 1);
    c.lineJoin = "round";
    const reach = hollow ? radius - c.lineWidth / 2 : radius;
    for (let from = 0; from < group.length; from += 3 * TOGETHER) {
      c.beginPath();
      for (let j = from; j < Math.min(from + 3 * TOGETHER, group.length); j += 3) this.outline(form, group[j], group[j + 1], reach);
      c.globalAlpha = shade * (hollow ? TINT : 1);
      c.fill();
      c.globalAlpha = shade;
      if (hollow) c.stroke();
    }
  }

  sprites(sprites) {
    const c = this.context, s = this.scale, radius = sprites.radius * s;
    const last = this.movie.steps - 1, f = this.time - this.now, next = Math.min(this.now + 1, last);
    const { x, y, which, shown, number, count } = sprites, move = sprites.glide ? f * s / sprites.scale : 0;
    const groups = sprites.styles.map(() => []);
    for (let i = 0; i < count; i++) {
      if (!shown.data[this.now * shown.stride + i]) continue;
      const ax = x.data[this.now * x.stride + i], ay = y.data[this.now * y.stride + i];
      let px = this.left + ax * s / sprites.scale, py = this.top + ay * s / sprites.scale;
      if (move && shown.data[next * shown.stride + i]) {
        px += move * (x.data[next * x.stride + i] - ax);
        py += move * (y.data[next * y.stride + i] - ay);
      }
      if (px < -radius || py < -radius || px > this.canvas.width + radius || py > this.canvas.height + radius) continue;
      groups[which.data[this.now * which.stride + i]].push(px, py, number.data[this.now * number.stride + i]);
    }
    const hollow = HOLLOW.has(sprites.form);
    const legible = typeHeight(sprites, sprites.digits) * radius >= SMALLEST_TYPE * this.ratio;  // all or none
    groups.forEach((group, k) => {
      if (!group.length) return;
      const [fill, , ink] = this.paint(sprites.styles[k]);
      c.fillStyle = c.strokeStyle = fill;
      c.globalAlpha = this.followed ? 0.38 : 1;
      this.crowd(sprites.form, group, radius);
      if (legible) this.numbers(group, sprites, radius, hollow ? fill : ink);
    });
    c.globalAlpha = 1;
  }

  numbers(group, sprites, radius, colour) {
    for (let digits = 1; digits <= sprites.digits; digits++) {
      const height = typeHeight(sprites, digits) * radius;
      const c = this.context;
      c.font = `600 ${height.toFixed(1)}px ${FACE}`;
      c.textAlign = "center";
      c.textBaseline = "alphabetic";
      c.fillStyle = colour;
      for (let j = 0; j < group.length; j += 3) {
        const number = group[j + 2];
        if (number < 0) continue;
        const text = String(number);
        if (text.length === digits) c.fillText(text, group[j], group[j + 1] + 0.355 * height);
      }
    }
  }

  // The way that the followed one has come: older parts are fainter.
  trail({ sprites, i }) {
    const c = this.context, s = this.scale, last = this.movie.steps - 1;
    const points = [];
    for (let t = Math.max(0, this.now - TRAIL); t <= this.now; t++) points.push(placeOf(sprites, i, t, last));
    points.push(placeOf(sprites, i, this.time, last));
    const part = Math.ceil(points.length / 8);
    c.strokeStyle = this.paint("focus")[0];
    c.lineWidth = Math.max(0.14 * s, 1.5 * this.ratio);
    c.lineCap = "butt";
    c.lineJoin = "round";
    for (let from = 0; from < points.length - 1; from += part) {
      const to = Math.min(from + part, points.length - 1);
      c.globalAlpha = 0.1 + 0.6 * (to / points.length) ** 2;
      c.beginPath();
      let pen = "moveTo";
      for (const place of points.slice(from, to + 1)) {
        if (place) c[pen](this.left + place[0] * s, this.top + place[1] * s);
        pen = place ? "lineTo" : "moveTo";
      }
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  highlight({ sprites, i }) {
    const c = this.context, s = this.scale, last = this.movie.steps - 1, ratio = this.ratio;
    const here = placeOf(sprites, i, this.time, last);
    if (!here) return;
    const number = sprites.number.data[i], focus = this.paint("focus")[0];
    for (const other of this.movie.sprites) {
      if (other.of !== sprites.name) continue;
      const j = other.index.get(number), place = j === undefined ? null : placeOf(other, j, this.time, last);
      if (!place) continue;
      c.strokeStyle = focus;
      c.lineWidth = 1.5 * ratio;
      c.setLineDash([5 * ratio, 5 * ratio]);
      c.beginPath();
      c.moveTo(this.left + here[0] * s, this.top + here[1] * s);
      c.lineTo(this.left + place[0] * s, this.top + place[1] * s);
      c.stroke();
      c.setLineDash([]);
      this.chosen(other, j, place, number, focus);
    }
    this.chosen(sprites, i, here, number, focus);
  }

  chosen(sprites, i, [x, y], number, focus) {
    const c = this.context, s = this.scale, ratio = this.ratio;
    const radius = Math.max(sprites.radius * s, 4 * ratio), hollow = HOLLOW.has(sprites.form);
    const [fill, , ink] = this.paint(sprites.styles[sprites.which.data[this.now * sprites.which.stride + i]]);
    const px = this.left + x * s, py = this.top + y * s;
    c.beginPath();
    this.outline(sprites.form, px, py, radius + 3.5 * ratio);
    c.fillStyle = this.paint("background")[0];
    c.fill();
    c.strokeStyle = focus;
    c.lineWidth = 2 * ratio;
    c.stroke();
    c.beginPath();
    this.outline(sprites.form, px, py, radius);
    c.fillStyle = fill;
    c.globalAlpha = hollow ? TINT : 1;
    c.fill();
    c.globalAlpha = 1;
    if (typeHeight(sprites, sprites.digits) * radius >= SMALLEST_TYPE * ratio) {
      this.numbers([px, py, number], sprites, radius, hollow ? fill : ink);
    }
  }
}

function typeHeight(sprites, digits) {
  const height = TYPE_BY_DIGITS[Math.min(digits, TYPE_BY_DIGITS.length - 1)];
  return sprites.form === "diamond" ? NARROW * height : height;
}

function pixelOf(colour) {
  const v = parseInt(colour.slice(1), 16);
  return (255 << 24 | (v & 255) << 16 | (v >> 8 & 255) << 8 | v >> 16) >>> 0;
}
