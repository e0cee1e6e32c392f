// The reader's choice of colours, before anything is drawn.
"use strict";
try {
  const chosen = localStorage.getItem("ludarium-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch { /* a page from a disk may have no memory */ }
