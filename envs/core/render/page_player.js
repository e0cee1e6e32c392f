// The player of one view or of several that show the same steps: time, buttons, keys, and the link to a moment.

const SPEEDS = [1, 2, 4, 8, 16, 32, 64];       // steps a second
const $ = (id) => document.getElementById(id);

class Player {
  // `curves(player)` puts curves on the page and returns functions of the time; `keys` are further ones; `scrolls`: the
  // page is longer than the screen.
  constructor(views, { curves, keys = {}, scrolls = false } = {}) {
    this.views = views;
    this.keys = keys;
    this.scrolls = scrolls;
    this.last = Math.max(...views.map((view) => view.last));
    this.time = 0;
    this.playing = false;
    this.followed = null;                      // name and number
    this.speed = SPEEDS.find((v) => this.last / v <= 75) || 64;
    this.still = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.buttons();
    this.followPanel();
    for (const view of views) view.attach(this);
    this.curves = curves ? curves(this) : [];
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.readLink());
    this.themes();
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
    const now = Math.floor(this.time), time = this.still.matches ? now : this.time;
    for (const view of this.views) view.show(time);
    for (const curve of this.curves) curve(time);
    if (now === this.shown) return;
    this.shown = now;
    $("scrub").value = String(now);
    $("scrub").style.setProperty("--done", `${this.last ? 100 * now / this.last : 100}%`);
    $("scrub").setAttribute("aria-valuetext", `Step ${now} of ${this.last}`);
    $("step").firstElementChild.textContent = String(now);
  }

  // Tell those who listen instead of looking; while it plays, say nothing.
  say() {
    if (this.playing) return;
    const now = Math.floor(this.time), view = this.views[0];
    const told = this.views.length === 1 && view.movie.captions[now];
    this.announce(told || `Step ${now} of ${this.last}`);
    this.writeLink();
  }

  announce(text) { $("live").textContent = text; }

  buttons() {
    $("scrub").max = String(this.last);
    $("step").lastChild.textContent = ` / ${this.last}`;
    $("play").onclick = () => this.toggle();
    $("back").onclick = () => this.step(-1);
    $("forward").onclick = () => this.step(1);
    $("scrub").oninput = () => { this.playing = false; this.showPlaying(); this.seek(Number($("scrub").value)); };
    for (const speed of SPEEDS) $("speed").append(new Option(`${speed} step${speed > 1 ? "s" : ""}/s`, String(speed)));
    $("speed").onchange = () => this.setSpeed(Number($("speed").value));
    this.setSpeed(this.speed);
    $("share").onclick = () => this.share();
    $("help").onclick = () => $("keys").showModal();
  }

  // The page says what its colours are by data-theme, or leaves it to the system; a page may have a button of its own.
  themes() {
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const show = () => {
      const name = document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
      for (const view of this.views) view.theme(name);
      this.refresh();
    };
    new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    system.addEventListener("change", show);
    show();
  }

  // Following, in all views at once

  followPanel() {
    this.kinds = this.views[0].kinds;
    if (!this.kinds.length) return;
    $("follow").hidden = this.kinds.reduce((sum, sprites) => sum + sprites.count, 0) < 2;
    $("kinds").hidden = this.kinds.length < 2;
    this.kinds.forEach((sprites, k) => $("kind").append(new Option(sprites.title || sprites.name, String(k))));
    $("kind").onchange = () => { this.follow(null); this.limits(); };
    $("number").onchange = () => {
      const text = $("number").value.trim();
      if (text === "") this.follow(null);
      else if (!this.follow(this.kinds[Number($("kind").value)].name, Number(text))) this.announce(`There is no number ${text}`);
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

  // Follow a number in every view that has it (a name of null: follow none); false, and nothing changes, if none has it.
  follow(name, number) {
    const kind = this.kinds.findIndex((sprites) => sprites.name === name);
    if (name !== null && (kind < 0 || !this.kinds[kind].index.has(number))) return false;
    this.followed = name === null ? null : { name, number };
    for (const view of this.views) view.followNumber(name, number);
    $("unfollow").disabled = !this.followed;
    $("number").value = this.followed ? String(number) : "";
    if (this.followed) $("kind").value = String(kind);
    const told = this.views.map((view) => (view.part("followed") || {}).textContent);
    this.announce(told.filter(Boolean).join(" "));
    this.refresh();
    this.writeLink();
    return true;
  }

  next(by) {
    if (!this.kinds.length) return;
    const sprites = this.kinds.find((s) => this.followed && s.name === this.followed.name) || this.kinds[0];
    const count = sprites.count, at = this.followed ? sprites.index.get(this.followed.number) + by + count : by > 0 ? 0 : -1 + count;
    this.follow(sprites.name, sprites.number.data[at % count]);
  }

  // The camera, the same for all views

  zoomBy(factor, px, py, view = this.views[0]) {
    view.zoomBy(factor, px, py);
    this.lookAs(view);
  }

  pan(dx, dy, view = this.views[0]) {
    if (this.followed && view.painter.zoom > 1) this.follow(null);
    view.pan(dx, dy);
    this.lookAs(view);
  }

  lookAs(view) {
    for (const other of this.views) if (other !== view) other.look(view.painter);
    this.refresh();
  }

  // Links and keys

  link() {
    const parts = [`t=${Math.floor(this.time)}`];
    if (this.followed) parts.push(`${encodeURIComponent(this.followed.name)}=${this.followed.number}`);
    return "#" + parts.join("&");
  }

  writeLink() {
    if (this.reading) return;
    try { history.replaceState(null, "", this.link()); } catch { /* a page inside a notebook has no address of its own */ }
  }

  readLink() {
    this.reading = true;
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      if (name === "t" && Number.isFinite(Number(value))) this.seek(Math.floor(Number(value)), true);
      else this.follow(name, Number(value));
    }
    this.reading = false;
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
    if (editing || (event.key === " " && field && /^(BUTTON|A|SUMMARY)$/.test(field.tagName))) return;
    const action = this.action(event);
    if (!action) return;
    event.preventDefault();
    action();
  }

  action(event) {
    const move = { W: [0, 60], A: [60, 0], S: [0, -60], D: [-60, 0] }[event.shiftKey ? event.key : ""];
    if (move) return () => this.pan(...move);
    const stride = event.shiftKey ? 10 : 1;
    const zoom = (factor) => () => this.zoomBy(factor);
    return {
      " ": () => this.toggle(),
      ArrowLeft: () => this.step(-stride), ArrowRight: () => this.step(stride),
      Home: () => this.step(-Infinity), End: () => this.step(Infinity),
      "[": () => this.faster(-1), "]": () => this.faster(1),
      "+": zoom(1.5), "=": zoom(1.5), "-": zoom(1 / 1.5), "−": zoom(1 / 1.5), "0": zoom(0),
      f: () => { $("number").focus(); $("number").select(); },
      n: () => this.next(1), p: () => this.next(-1),
      s: () => this.share(), d: () => $("theme").click(), "?": () => $("keys").showModal(), ...this.keys,
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  }
}
