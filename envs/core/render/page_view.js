// One movie in one place of a page: its picture and camera, what is followed, what is said beside it. It has no clock.

class View {
  // `part(name)` is the element of that name in this place, null where the page has none; `player` is told of what people do.
  constructor(movie, part) {
    this.movie = movie;
    this.part = part;
    this.last = movie.steps - 1;
    this.painter = new Painter(part("canvas"), movie);
    this.time = 0;
    this.followed = null;
    this.kinds = movie.sprites.filter((sprites) => !sprites.of && sprites.count);
    this.pictured = movie.background.length > 0 || movie.shapes.length > 0 || movie.sprites.length > 0;
    part("view").hidden = !this.pictured;
  }

  attach(player) {
    this.player = player;
    const seek = (t) => { player.pause(); player.seek(t); };
    this.talk = talkPanel(this.movie.talk || [], this.last, this.part, seek);
    this.words = wordsPanel(this.movie.words, this.part, seek);
    this.part("zoom-in").onclick = () => player.zoomBy(1.5);
    this.part("zoom-out").onclick = () => player.zoomBy(1 / 1.5);
    this.part("zoom-fit").onclick = () => player.zoomBy(0);
    this.pointer();
    new ResizeObserver(() => { this.painter.resize(); this.painter.clamp(); player.refresh(); }).observe(this.part("view"));
    this.painter.resize();
  }

  theme(name) {
    this.painter.setTheme(name);
    const forms = [...this.movie.sprites].reverse().map((sprites) => legendItem(sprites, this.painter));
    this.part("forms").replaceChildren(...forms);
  }

  // Draw a moment; what follows from the whole step alone is written only when the step is another.
  show(time) {
    const painter = this.painter, now = Math.min(Math.floor(time), this.last);
    this.time = Math.min(time, this.last);
    if (this.followed && painter.zoom > 1) {
      const place = placeOf(this.followed.sprites, this.followed.i, this.time, this.last);
      if (place) [painter.x, painter.y] = place;
    }
    if (this.pictured) {
      painter.clamp();
      painter.canvas.classList.toggle("zoomed", painter.zoom > 1);
      painter.draw(this.time, this.followed);
    }
    const over = Math.floor(time) > this.last, shown = `${now} ${over}`;
    if (shown === this.shown) return;
    this.shown = shown;
    this.part("caption").textContent = this.movie.captions[now] + (over ? " (it is over)" : "");
    if (this.talk) this.talk(now);
    if (this.words) this.words(now);
    this.describe();
  }

  // Following

  followNumber(name, number) {
    const sprites = this.kinds.find((s) => s.name === name), i = sprites && sprites.index.get(number);
    this.follow(i === undefined ? null : { sprites, i });
    return this.followed !== null;
  }

  follow(followed) {
    const painter = this.painter, began = followed && !this.followed;
    this.followed = followed;
    if (followed) {
      const size = Math.max(this.movie.width, this.movie.height);
      if (began && painter.zoom === 1 && size > 40) painter.zoom = Math.min(painter.furthest, size / 28);
    }
    this.describe();
  }

  describe() {
    const line = this.part("followed");
    if (!line) return;
    if (!this.followed) { line.textContent = this.part("number") ? "Choose one by its number, or click it in the picture." : ""; return; }
    const { sprites, i } = this.followed, now = Math.floor(this.time), number = sprites.number.data[i];
    const where = (place) => place ? `at ${cell(place[0])}, ${cell(place[1])}` : "not there now";
    const parts = [`${sprites.title || sprites.name} ${number} ${where(placeOf(sprites, i, now, this.last))}`];
    for (const other of this.movie.sprites) {
      const j = other.of === sprites.name ? other.index.get(number) : undefined;
      if (j !== undefined) parts.push(`${other.title || other.name} ${where(placeOf(other, j, now, this.last))}`);
    }
    const text = parts.join("; ") + " (column, row).";
    line.textContent = text[0].toUpperCase() + text.slice(1);
  }

  // Camera

  zoomBy(factor, px, py) {
    const painter = this.painter;
    if (factor === 0) { painter.zoom = 1; return; }
    const at = px === undefined ? null : painter.toWorld(px, py);
    painter.zoom = Math.min(Math.max(painter.zoom * factor, 1), painter.furthest);
    if (at) {
      const moved = painter.toWorld(px, py);
      painter.x += at[0] - moved[0];
      painter.y += at[1] - moved[1];
    }
  }

  pan(dx, dy) {
    this.painter.x -= dx / this.painter.unit;
    this.painter.y -= dy / this.painter.unit;
  }

  look({ x, y, zoom }) { Object.assign(this.painter, { x, y, zoom }); }

  pointer() {
    const canvas = this.part("canvas"), player = this.player, down = new Map();
    let travelled = 0, spread = 0;
    const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    const gap = () => { const [a, b] = [...down.values()]; return Math.hypot(a[0] - b[0], a[1] - b[1]); };
    canvas.onpointerdown = (event) => {
      down.set(event.pointerId, at(event));
      canvas.setPointerCapture(event.pointerId);
      travelled = 0;
      if (down.size === 2) spread = gap();
    };
    canvas.onpointermove = (event) => {
      const [x, y] = at(event), from = down.get(event.pointerId);
      if (!from) { this.hover(this.near(x, y), x, y); return; }
      down.set(event.pointerId, [x, y]);
      if (down.size === 2) {
        const now = gap();
        player.zoomBy(now / Math.max(spread, 1), x, y, this);
        spread = now;
        travelled = Infinity;
        return;
      }
      travelled += Math.hypot(x - from[0], y - from[1]);
      if (travelled > 4) { canvas.classList.add("dragged"); player.pan(x - from[0], y - from[1], this); }
    };
    const up = (event) => {
      if (down.delete(event.pointerId) && event.type === "pointerup" && travelled <= 4) {
        const found = this.near(...at(event));
        if (found) player.follow(found.sprites.name, found.sprites.number.data[found.i]);
      }
      canvas.classList.remove("dragged");
    };
    canvas.onpointerup = canvas.onpointercancel = up;
    // Inside another page (a notebook), and on one that is longer than the screen, the wheel scrolls, unless Ctrl or Command is held.
    canvas.addEventListener("wheel", (event) => {
      if ((window !== window.parent || player.scrolls) && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      player.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), ...at(event), this);
    }, { passive: false });
  }

  // The sprite to follow under a point of the canvas, null if there is none.
  near(px, py) {
    const [x, y] = this.painter.toWorld(px, py), reach = 8 / this.painter.unit;
    let best = null, least = Infinity;
    for (const sprites of this.kinds) {
      for (let i = 0; i < sprites.count; i++) {
        const place = placeOf(sprites, i, this.time, this.last);
        const far = place ? Math.hypot(place[0] - x, place[1] - y) : Infinity;
        if (far < least && far <= Math.max(sprites.radius * 1.25, reach)) { best = { sprites, i }; least = far; }
      }
    }
    return best;
  }

  hover(found, px, py) {
    this.part("canvas").classList.toggle("over", found !== null);
    const sprites = found && found.sprites;
    this.part("canvas").title = found ? `${sprites.title || sprites.name} ${sprites.number.data[found.i]}` : this.painter.titleAt(px, py);
  }
}
