// What makes the pages live. Without it everything works by forms and reloads.
"use strict";
(() => {
  const plural = (n, word) => n + " " + word + (n === 1 ? "" : "s");
  const span = s => {
    if (s >= 3600) return plural(Math.floor(s / 3600), "hour") + " " + plural(Math.floor(s % 3600 / 60), "minute");
    if (s >= 60) return plural(Math.floor(s / 60), "minute") + " " + plural(s % 60, "second");
    return plural(s, "second");
  };
  // Clocks run down from the server's own count: that of this machine may be wrong.
  const clocks = () => document.querySelectorAll("[data-left]").forEach(e => {
    if (!e.dataset.end) e.dataset.end = performance.now() + 1000 * e.dataset.left;
    const left = Math.max(0, Math.round((e.dataset.end - performance.now()) / 1000));
    const text = left > 0 || !e.dataset.over ? (e.dataset.over ? "(" + span(left) + ")" : span(left)) : e.dataset.over;
    if (e.textContent !== text) e.textContent = text;
  });
  // prepare makes what was just loaded comfortable.
  const prepare = () => {
    document.querySelectorAll("[data-copy]").forEach(e => {
      if (e.dataset.ready || !navigator.clipboard) return;
      e.dataset.ready = "1";
      const b = document.createElement("button");
      b.type = "button";
      b.className = "copy secondary outline";
      b.textContent = "Copy";
      b.addEventListener("click", () => navigator.clipboard.writeText(e.dataset.copy).then(() => { b.textContent = "Copied"; setTimeout(() => { b.textContent = "Copy"; }, 2000); }));
      e.after(b);
    });
    document.querySelectorAll("[data-shows]").forEach(e => {
      if (e.dataset.ready) return;
      e.dataset.ready = "1";
      const show = () => document.getElementById(e.dataset.shows).classList.toggle("hidden", !e.checked);
      e.form.addEventListener("change", show);
      show();
    });
    const state = document.querySelector("[data-title]");
    if (state) document.title = state.dataset.title + " · " + document.querySelector(".machine").textContent;
    clocks();
  };
  document.addEventListener("submit", e => {
    const f = e.target.closest("form[data-busy]");
    const b = f && (e.submitter || f.querySelector("button[type=submit]"));
    if (b) b.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("button[aria-busy]").forEach(b => b.removeAttribute("aria-busy")));
  document.addEventListener("DOMContentLoaded", () => {
    prepare();
    setInterval(clocks, 1000);
    document.querySelectorAll("form[data-submit]").forEach(f => f.requestSubmit());
    const live = document.querySelector("[data-live]");
    if (!live || !window.EventSource) return;
    const open = new Set();
    document.body.addEventListener("htmx:beforeSwap", () => document.querySelectorAll("details[id]").forEach(d => d.open ? open.add(d.id) : open.delete(d.id)));
    document.body.addEventListener("htmx:afterSwap", () => {
      open.forEach(id => { const d = document.getElementById(id); if (d) d.open = true; });
      prepare();
    });
    let seen = "";
    const events = new EventSource("/events");
    events.addEventListener("change", e => {
      if (seen && seen !== e.data) htmx.ajax("GET", "/state", { target: "#live", swap: "innerHTML" });
      seen = e.data;
    });
    document.addEventListener("submit", e => { if (e.target.action.endsWith("/logout")) events.close(); });
    events.addEventListener("bye", () => { events.close(); location.href = "/login"; });
  });
})();
