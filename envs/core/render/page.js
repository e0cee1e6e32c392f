// The player: time, camera, buttons, keys. Everything it shows comes from the movie in this page.

const SPEEDS = [1, 2, 4, 8, 16, 32, 64];       // steps a second
const $ = (id) => document.getElementById(id);

class Player {
  constructor(movie) {
    this.movie = movie;
    this.last = movie.steps - 1;
    this.painter = new Painter($("canvas"), movie);
    this.time = 0;
    this.playing = false;
    this.speed = SPEEDS.find((v) => this.last / v <= 75) || 64;
    this.followed = null;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.buttons();
    this.followPanel();
    this.curves = Object.entries(movie.series).map(([name, values]) => curve(name, values, (t) => this.seek(t)));
    $("curves").hidden = !this.curves.length;
    this.talk = talkPanel(movie.talk || [], this.last, (t) => { this.pause(); this.seek(t); });
    this.pointer();
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.readLink());
    new ResizeObserver(() => { this.painter.resize(); this.painter.clamp(); this.refresh(); }).observe($("view"));
    this.theme(savedTheme() || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
    this.painter.resize();
    this.readLink();
    this.seek(this.time, true);
  }

  // Time

  seek(time, quietly) {
    this.time = Math.min(Math.max(time, 0), this.last);
    this.refresh();
    if (!quietly) this.say();
  }

  step(by) {
    this.pause();
    this.seek(by < 0 ? Math.ceil(this.time) + by : Math.floor(this.time) + by);
  }

  toggle() { if (this.playing) this.pause(); else this.play(); }

  play() {
    if (this.time >= this.last) this.time = 0;
    this.playing = true;
    this.before = null;
    this.showPlaying();
    requestAnimationFrame((clock) => this.tick(clock));
  }

  pause() {
    if (!this.playing) return;
    this.playing = false;
    this.time = Math.round(this.time);
    this.showPlaying();
    this.seek(this.time);
  }

  showPlaying() {
    $("play").classList.toggle("playing", this.playing);
    $("play").setAttribute("aria-label", this.playing ? "Pause" : "Play");
  }

  tick(clock) {
    if (!this.playing) return;
    if (this.before !== null) this.time += Math.min((clock - this.before) / 1000, 0.25) * this.speed;
    this.before = clock;
    if (this.time >= this.last) { this.time = this.last; this.pause(); return; }
    this.refresh();
    requestAnimationFrame((next) => this.tick(next));
  }

  setSpeed(speed) {
    this.speed = speed;
    $("speed").value = String(speed);
  }

  faster(by) {
    const at = SPEEDS.indexOf(this.speed) + by;
    if (at >= 0 && at < SPEEDS.length) { this.setSpeed(SPEEDS[at]); this.announce(`${SPEEDS[at]} steps a second`); }
  }

  // What is on the page

  refresh() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.show(); });
  }

  show() {
    const painter = this.painter, now = Math.floor(this.time);
    const time = this.still.matches ? now : this.time;
    if (this.followed && painter.zoom > 1) {
      const place = placeOf(this.followed.sprites, this.followed.i, time, this.last);
      if (place) [painter.x, painter.y] = place;
    }
    painter.clamp();
    $("canvas").classList.toggle("zoomed", painter.zoom > 1);
    painter.draw(time, this.followed);
    for (const curve of this.curves) curve(time);
    if (now === this.shown) return;
    this.shown = now;
    $("scrub").value = String(now);
    $("scrub").style.setProperty("--done", `${this.last ? 100 * now / this.last : 100}%`);
    $("scrub").setAttribute("aria-valuetext", `Step ${now} of ${this.last}`);
    $("step").firstElementChild.textContent = String(now);
    $("caption").textContent = this.movie.captions[now];
    if (this.talk) this.talk(now);
    this.describe();
  }

  // Tell those who listen instead of looking; while it plays, say nothing.
  say() {
    if (this.playing) return;
    const now = Math.floor(this.time);
    this.announce(this.movie.captions[now] || `Step ${now} of ${this.last}`);
    this.writeLink();
  }

  announce(text) { $("live").textContent = text; }

  buttons() {
    $("play").onclick = () => this.toggle();
    $("back").onclick = () => this.step(-1);
    $("forward").onclick = () => this.step(1);
    $("scrub").oninput = () => { this.playing = false; this.showPlaying(); this.seek(Number($("scrub").value)); };
    for (const speed of SPEEDS) $("speed").append(new Option(`${speed} step${speed > 1 ? "s" : ""}/s`, String(speed)));
    $("speed").onchange = () => this.setSpeed(Number($("speed").value));
    this.setSpeed(this.speed);
    $("zoom-in").onclick = () => this.zoomBy(1.5);
    $("zoom-out").onclick = () => this.zoomBy(1 / 1.5);
    $("zoom-fit").onclick = () => this.zoomBy(0);
    $("share").onclick = () => this.share();
    $("theme").onclick = () => this.theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true);
    $("help").onclick = () => $("keys").showModal();
  }

  theme(name, keep) {
    document.documentElement.dataset.theme = name;
    $("theme").setAttribute("aria-pressed", String(name === "dark"));
    if (keep) try { localStorage.setItem("ludarium-theme", name); } catch { /* a page without storage forgets it */ }
    this.painter.setTheme(name);
    this.legend();
    this.refresh();
  }

  legend() {
    $("legend").replaceChildren(...[...this.movie.sprites].reverse().map((sprites) => legendItem(sprites, this.painter)));
  }

  // Following

  followPanel() {
    this.kinds = this.movie.sprites.filter((sprites) => !sprites.of && sprites.count);
    if (!this.kinds.length) return;
    $("follow").hidden = false;
    $("kinds").hidden = this.kinds.length < 2;
    this.kinds.forEach((sprites, k) => $("kind").append(new Option(sprites.title || sprites.name, String(k))));
    $("kind").onchange = () => { this.follow(null); this.limits(); };
    $("number").onchange = () => {
      const text = $("number").value.trim();
      if (text === "") this.follow(null);
      else if (!this.followNumber(this.kinds[Number($("kind").value)], Number(text))) this.announce(`There is no number ${text}`);
    };
    $("unfollow").onclick = () => { this.follow(null); $("number").focus(); };
    this.limits();
  }

  limits() {
    const sprites = this.kinds[Number($("kind").value) || 0], numbers = [...sprites.index.keys()];
    const noun = sprites.title || sprites.name;
    $("number-label").textContent = noun[0].toUpperCase() + noun.slice(1);
    $("number").min = Math.min(...numbers);
    $("number").max = Math.max(...numbers);
  }

  followNumber(sprites, number) {
    const i = sprites.index.get(number);
    if (i === undefined) return false;
    this.follow({ sprites, i });
    return true;
  }

  follow(followed) {
    const painter = this.painter, began = followed && !this.followed;
    this.followed = followed;
    $("unfollow").disabled = !followed;
    $("number").value = followed ? String(followed.sprites.number.data[followed.i]) : "";
    if (followed) {
      $("kind").value = String(this.kinds.indexOf(followed.sprites));
      const size = Math.max(this.movie.width, this.movie.height);
      if (began && painter.zoom === 1 && size > 40) painter.zoom = Math.min(painter.furthest, size / 28);
    }
    this.describe();
    this.announce($("followed").textContent);
    this.refresh();
    this.writeLink();
  }

  next(by) {
    if (!this.kinds.length) return;
    const sprites = this.followed ? this.followed.sprites : this.kinds[0], count = sprites.count;
    this.follow({ sprites, i: this.followed ? (this.followed.i + by + count) % count : by > 0 ? 0 : count - 1 });
  }

  describe() {
    if (!this.followed) { $("followed").textContent = "Choose one by its number, or click it in the picture."; return; }
    const { sprites, i } = this.followed, now = Math.floor(this.time), number = sprites.number.data[i];
    const where = (place) => place ? `at ${cell(place[0])}, ${cell(place[1])}` : "not there now";
    const parts = [`${sprites.title || sprites.name} ${number} ${where(placeOf(sprites, i, now, this.last))}`];
    for (const other of this.movie.sprites) {
      const j = other.of === sprites.name ? other.index.get(number) : undefined;
      if (j !== undefined) parts.push(`${other.title || other.name} ${where(placeOf(other, j, now, this.last))}`);
    }
    const text = parts.join("; ") + " (column, row).";
    $("followed").textContent = text[0].toUpperCase() + text.slice(1);
  }

  // Camera

  zoomBy(factor, px, py) {
    const painter = this.painter;
    if (factor === 0) { painter.zoom = 1; this.refresh(); return; }
    const at = px === undefined ? null : painter.toWorld(px, py);
    painter.zoom = Math.min(Math.max(painter.zoom * factor, 1), painter.furthest);
    if (at) {
      const moved = painter.toWorld(px, py);
      painter.x += at[0] - moved[0];
      painter.y += at[1] - moved[1];
    }
    this.refresh();
  }

  pan(dx, dy) {
    if (this.followed && this.painter.zoom > 1) this.follow(null);
    this.painter.x -= dx / this.painter.unit;
    this.painter.y -= dy / this.painter.unit;
    this.refresh();
  }

  pointer() {
    const canvas = $("canvas"), down = new Map();
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
        this.zoomBy(now / Math.max(spread, 1), x, y);
        spread = now;
        travelled = Infinity;
        return;
      }
      travelled += Math.hypot(x - from[0], y - from[1]);
      if (travelled > 4) { canvas.classList.add("dragged"); this.pan(x - from[0], y - from[1]); }
    };
    const up = (event) => {
      if (down.delete(event.pointerId) && event.type === "pointerup" && travelled <= 4) {
        const found = this.near(...at(event));
        if (found) this.follow(found);
      }
      canvas.classList.remove("dragged");
    };
    canvas.onpointerup = canvas.onpointercancel = up;
    // Inside another page (a notebook) the wheel scrolls that page, unless Ctrl or Command is held.
    canvas.addEventListener("wheel", (event) => {
      if (window !== window.parent && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), ...at(event));
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
    $("canvas").classList.toggle("over", found !== null);
    const sprites = found && found.sprites;
    $("canvas").title = found ? `${sprites.title || sprites.name} ${sprites.number.data[found.i]}` : this.painter.titleAt(px, py);
  }

  // Links and keys

  link() {
    const parts = [`t=${Math.floor(this.time)}`];
    if (this.followed) parts.push(`${encodeURIComponent(this.followed.sprites.name)}=${this.followed.sprites.number.data[this.followed.i]}`);
    return "#" + parts.join("&");
  }

  writeLink() {
    try { history.replaceState(null, "", this.link()); } catch { /* a page inside a notebook has no address of its own */ }
  }

  readLink() {
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (name === "t" && Number.isFinite(Number(value))) this.seek(Math.floor(Number(value)), true);
      const sprites = this.kinds.find((s) => s.name === name);
      if (sprites) this.followNumber(sprites, Number(value));
    }
  }

  async share() {
    const address = location.href.split("#")[0] + this.link();
    let copied = true;
    try { await navigator.clipboard.writeText(address); } catch { copied = copyByHand(address); }
    toast(copied ? "Link copied" : "The link is in the address bar");
    this.writeLink();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || $("keys").open) return;
    const field = document.activeElement, editing = field && (field.tagName === "SELECT" || field.id === "number");
    if (event.key === "Escape") {
      if (this.followed) this.follow(null);
      if (editing) field.blur();
      return;
    }
    if (editing || (event.key === " " && field && field.tagName === "BUTTON")) return;
    const action = this.action(event);
    if (!action) return;
    event.preventDefault();
    action();
  }

  action(event) {
    const move = { W: [0, 60], A: [60, 0], S: [0, -60], D: [-60, 0] }[event.shiftKey ? event.key : ""];
    if (move) return () => this.pan(...move);
    const stride = event.shiftKey ? 10 : 1;
    return {
      " ": () => this.toggle(),
      ArrowLeft: () => this.step(-stride), ArrowRight: () => this.step(stride),
      Home: () => this.step(-Infinity), End: () => this.step(Infinity),
      "[": () => this.faster(-1), "]": () => this.faster(1),
      "+": () => this.zoomBy(1.5), "=": () => this.zoomBy(1.5), "-": () => this.zoomBy(1 / 1.5), "−": () => this.zoomBy(1 / 1.5), "0": () => this.zoomBy(0),
      f: () => { $("number").focus(); $("number").select(); },
      n: () => this.next(1), p: () => this.next(-1),
      s: () => this.share(), d: () => $("theme").click(), "?": () => $("keys").showModal(),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  }
}

readMovie($("movie").textContent).then((movie) => {
  new Player(movie);
  document.documentElement.dataset.ready = "yes";
}, (error) => {
  $("caption").textContent = "This browser cannot unpack the recording; it needs DecompressionStream (2023 or newer).";
  console.error(error);
});
