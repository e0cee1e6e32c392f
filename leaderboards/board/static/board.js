// What makes pages handier where scripts run: the choice of colours, tables that can be sorted, texts that can be copied.
"use strict";

function themes() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const order = ["", "light", "dark"];
  const words = { "": "auto, as the system says", light: "light", dark: "dark" };
  const show = () => {
    const now = root.dataset.theme ?? "";
    button.textContent = `Colours: ${now || "auto"}`;
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme ?? "") + 1) % order.length];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    try {
      if (next) localStorage.setItem("ludarium-theme", next);
      else localStorage.removeItem("ludarium-theme");
    } catch { /* it holds for this page then */ }
    show();
  });
  button.hidden = false;
  show();
}

function valueOf(row, column) {
  const cell = row.cells[column];
  const given = cell.dataset.value;
  if (given === undefined) return cell.textContent.trim().toLowerCase();
  return given === "" ? null : Number(given);
}

function compare(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" ? a - b : a.localeCompare(b);
}

function sortBy(table, header, column) {
  const up = header.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", up ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows];
  const keys = new Map(rows.map((row) => [row, valueOf(row, column)]));
  rows.sort((a, b) => {
    const [x, y] = [keys.get(a), keys.get(b)];
    return x === null || y === null ? compare(x, y) : (up ? 1 : -1) * compare(x, y); // what is not known stays last
  });
  table.tBodies[0].append(...rows);
}

function sorting() {
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      if (header.classList.contains("fixed")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...[...header.childNodes].filter((node) => node.nodeName !== "SMALL"));
      header.prepend(button);
      button.addEventListener("click", () => sortBy(table, header, column));
    });
  }
}

function copying() {
  for (const code of document.querySelectorAll("code.copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "Selected: press Ctrl+C";
      }
    });
    code.after(" ", button);
  }
}

themes();
sorting();
copying();
