// The page of one movie, which it holds itself.

function chooseTheme() {
  const root = document.documentElement, button = $("theme");
  const show = (name) => { root.dataset.theme = name; button.setAttribute("aria-pressed", String(name === "dark")); };
  button.onclick = () => {
    show(root.dataset.theme === "dark" ? "light" : "dark");
    try { localStorage.setItem("ludarium-theme", root.dataset.theme); } catch { /* a page without storage forgets it */ }
  };
  show(savedTheme() || (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
}

chooseTheme();
readMovie($("movie").textContent).then((movie) => {
  const curves = Object.entries(movie.series);
  $("curves").hidden = !curves.length;
  new Player([new View(movie, (name) => document.querySelector(`[data-part="${name}"]`))], {
    curves: (player) => curves.map(([name, values]) => curve($("curves"), name, [{ values }], (t) => player.seek(t))),
  });
  document.documentElement.dataset.ready = "yes";
}, (error) => {
  document.querySelector('[data-part="caption"]').textContent =
    "This browser cannot unpack the recording; it needs DecompressionStream (2023 or newer).";
  console.error(error);
});
