// Plays a ttyrec in the page. What a recording holds is somebody else's: it is
// drawn as text, cell by cell, and never as markup. Sequences that are not about
// the picture (titles, clipboards, links, answers) are dropped.
"use strict";
(() => {
  const most = 16 << 20; // bytes of a recording that are kept in the page
  const palette = ["#1b1f24", "#e5534b", "#57ab5a", "#c69026", "#539bf5", "#b083f0", "#39c5cf", "#adbac7", "#768390", "#ff938a", "#8ddb8c", "#daaa3f", "#96d0ff", "#dcbdfb", "#56d4dd", "#ffffff"];
  const colour = n => {
    if (n < 16) return palette[n];
    if (n > 231) { const g = 8 + 10 * (n - 232); return `rgb(${g},${g},${g})`; }
    const step = v => v ? 55 + 40 * v : 0;
    n -= 16;
    return `rgb(${step(Math.floor(n / 36))},${step(Math.floor(n / 6) % 6)},${step(n % 6)})`;
  };
  const clamp = (n, low, high) => Math.min(high, Math.max(low, n));
  const lines = "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·"; // DEC special graphics, ` to ~

  class Terminal {
    constructor(addCR) { this.addCR = addCR; this.reset(80, 24); }
    reset(cols, rows) {
      this.cols = cols; this.rows = rows;
      this.pen = {}; this.x = 0; this.y = 0; this.top = 0; this.bottom = rows - 1;
      this.wrap = true; this.shown = true; this.pending = false; this.graphics = false;
      this.grid = this.blank(); this.other = null; this.saved = null; this.state = ""; this.arg = "";
      this.text = new TextDecoder("utf-8");
    }
    cell() { return { c: " ", p: this.pen.bg === undefined ? {} : { bg: this.pen.bg } }; }
    row() { return Array.from({ length: this.cols }, () => this.cell()); }
    blank() { return Array.from({ length: this.rows }, () => this.row()); }
    resize(cols, rows) {
      cols = clamp(cols || 80, 1, 400); rows = clamp(rows || 24, 1, 200);
      const fit = g => {
        if (!g) return g;
        const cut = Math.max(0, Math.min(g.length - rows, this.y - rows + 1));
        g = g.slice(cut, cut + rows);
        while (g.length < rows) g.push([]);
        return g.map(r => { r = r.slice(0, cols); while (r.length < cols) r.push({ c: " ", p: {} }); return r; });
      };
      this.grid = fit(this.grid); this.other = fit(this.other);
      this.cols = cols; this.rows = rows; this.top = 0; this.bottom = rows - 1;
      this.move(this.x, this.y);
    }
    move(x, y) { this.x = clamp(x, 0, this.cols - 1); this.y = clamp(y, 0, this.rows - 1); this.pending = false; }
    scroll(top, n) { // up by n, down by less than 0
      const size = this.bottom - top + 1;
      for (let i = Math.min(Math.abs(n), size); i > 0; i--) {
        if (n > 0) { this.grid.splice(top, 1); this.grid.splice(this.bottom, 0, this.row()); }
        else { this.grid.splice(this.bottom, 1); this.grid.splice(top, 0, this.row()); }
      }
    }
    feed() { if (this.y === this.bottom) this.scroll(this.top, 1); else if (this.y < this.rows - 1) this.y++; this.pending = false; }
    put(c) {
      if (this.pending) { this.x = 0; this.feed(); }
      if (this.graphics && c >= "`" && c <= "~") c = lines[c.charCodeAt(0) - 96] || c;
      this.grid[this.y][this.x] = { c, p: this.pen };
      if (this.x < this.cols - 1) this.x++; else this.pending = this.wrap;
    }
    write(bytes) { for (const c of this.text.decode(bytes, { stream: true })) this.take(c); }
    take(c) {
      const code = c.codePointAt(0);
      if (this.state === "string") { // a title, a clipboard, a picture: until BEL or ESC \
        if (code === 7 || code === 0x9c) this.state = ""; else if (code === 27) this.state = "esc";
        return;
      }
      if (code === 24 || code === 26) { this.state = ""; return; }
      if (code === 27) { this.state = "esc"; this.arg = ""; return; }
      if (code < 32) {
        if (code === 13) this.move(0, this.y);
        else if (code >= 10 && code <= 12) { if (this.addCR) this.x = 0; this.feed(); }
        else if (code === 8) this.move(this.x - 1, this.y);
        else if (code === 9) this.move((this.x | 7) + 1, this.y);
        else if (code === 15) this.graphics = false;
        else if (code === 14) this.graphics = true;
        return;
      }
      if (this.state === "csi") {
        if (code >= 64 && code <= 126) { this.state = ""; this.csi(c, this.arg); }
        else if (this.arg.length < 64) this.arg += c;
        return;
      }
      if (this.state === "charset") { this.graphics = c === "0"; this.state = ""; return; }
      if (this.state === "skip") { this.state = ""; return; }
      if (this.state === "esc") { this.escape(c); return; }
      if (code < 127 || code > 159) this.put(c);
    }
    escape(c) {
      this.state = "";
      switch (c) {
        case "[": this.state = "csi"; break;
        case "]": case "P": case "X": case "^": case "_": this.state = "string"; break;
        case "(": this.state = "charset"; break;
        case ")": case "*": case "+": case "#": case "%": case " ": this.state = "skip"; break;
        case "7": this.saved = { x: this.x, y: this.y, pen: this.pen }; break;
        case "8": this.restore(); break;
        case "D": this.feed(); break;
        case "E": this.x = 0; this.feed(); break;
        case "M": if (this.y === this.top) this.scroll(this.top, -1); else this.move(this.x, this.y - 1); break;
        case "c": { const text = this.text; this.reset(this.cols, this.rows); this.text = text; }
      }
    }
    restore() { const s = this.saved || { x: 0, y: 0, pen: {} }; this.pen = s.pen; this.move(s.x, s.y); }
    erase(row, from, to) { for (let i = Math.max(0, from); i < Math.min(to, this.cols); i++) this.grid[row][i] = this.cell(); }
    csi(c, arg) {
      if (arg[0] === "?") { if (c === "h" || c === "l") arg.slice(1).split(";").forEach(n => this.mode(+n, c === "h")); return; }
      if (/[^0-9;:]/.test(arg)) { if (arg === "!" && c === "p") { this.pen = {}; this.top = 0; this.bottom = this.rows - 1; this.shown = true; } return; }
      const a = arg.split(";").map(v => parseInt(v, 10) || 0);
      const n = clamp(a[0], 1, 9999);
      const y = this.y, x = this.x;
      switch (c) {
        case "A": this.move(x, Math.max(y - n, y >= this.top ? this.top : 0)); break;
        case "B": case "e": this.move(x, Math.min(y + n, y <= this.bottom ? this.bottom : this.rows - 1)); break;
        case "C": case "a": this.move(x + n, y); break;
        case "D": this.move(x - n, y); break;
        case "E": this.move(0, y + n); break;
        case "F": this.move(0, y - n); break;
        case "G": case "`": this.move(n - 1, y); break;
        case "d": this.move(x, n - 1); break;
        case "H": case "f": this.move((a[1] || 1) - 1, n - 1); break;
        case "J":
          if (a[0] === 0) this.erase(y, x, this.cols); else if (a[0] === 1) this.erase(y, 0, x + 1);
          for (let i = 0; i < this.rows; i++) if (a[0] >= 2 || (a[0] === 0 ? i > y : i < y)) this.erase(i, 0, this.cols);
          break;
        case "K": this.erase(y, a[0] === 0 ? x : 0, a[0] === 1 ? x + 1 : this.cols); break;
        case "X": this.erase(y, x, x + n); break;
        case "P": this.grid[y].splice(x, n); while (this.grid[y].length < this.cols) this.grid[y].push(this.cell()); break;
        case "@": for (let i = Math.min(n, this.cols); i > 0; i--) this.grid[y].splice(x, 0, this.cell()); this.grid[y].length = this.cols; break;
        case "L": if (y >= this.top && y <= this.bottom) this.scroll(y, -n); break;
        case "M": if (y >= this.top && y <= this.bottom) this.scroll(y, n); break;
        case "S": this.scroll(this.top, n); break;
        case "T": this.scroll(this.top, -n); break;
        case "r": { const t = n - 1, b = (a[1] || this.rows) - 1; if (t < b && b < this.rows) { this.top = t; this.bottom = b; this.move(0, 0); } break; }
        case "s": this.saved = { x, y, pen: this.pen }; break;
        case "u": this.restore(); break;
        case "t": if (a[0] === 8) this.resize(a[2], a[1]); break;
        case "m": this.sgr(a);
      }
    }
    mode(n, on) {
      if (n === 7) this.wrap = on;
      if (n === 25) this.shown = on;
      if (n === 47 || n === 1047 || n === 1049) {
        if (on && !this.other) { if (n === 1049) this.saved = { x: this.x, y: this.y, pen: this.pen }; this.other = this.grid; this.grid = this.blank(); }
        else if (!on && this.other) { this.grid = this.other; this.other = null; if (n === 1049) this.restore(); }
      }
    }
    sgr(a) {
      let p = { ...this.pen };
      for (let i = 0; i < a.length; i++) {
        const n = a[i];
        if (n === 0) p = {};
        else if (n === 1) p.bold = true; else if (n === 2) p.dim = true; else if (n === 3) p.italic = true; else if (n === 4) p.line = true; else if (n === 7) p.inverse = true;
        else if (n === 22) { delete p.bold; delete p.dim; } else if (n === 23) delete p.italic; else if (n === 24) delete p.line; else if (n === 27) delete p.inverse;
        else if (n >= 30 && n <= 37) p.fg = colour(n - 30); else if (n >= 90 && n <= 97) p.fg = colour(n - 82);
        else if (n >= 40 && n <= 47) p.bg = colour(n - 40); else if (n >= 100 && n <= 107) p.bg = colour(n - 92);
        else if (n === 39) delete p.fg; else if (n === 49) delete p.bg;
        else if (n === 38 || n === 48) {
          let v;
          if (a[i + 1] === 5) { v = colour(clamp(a[i + 2] || 0, 0, 255)); i += 2; }
          else if (a[i + 1] === 2) { v = "rgb(" + [2, 3, 4].map(k => clamp(a[i + k] || 0, 0, 255)).join(",") + ")"; i += 4; }
          if (v) p[n === 38 ? "fg" : "bg"] = v;
        }
      }
      this.pen = p;
    }
    draw(into) {
      const out = document.createDocumentFragment();
      this.grid.forEach((row, y) => {
        const line = document.createElement("div");
        let span = null, last = null;
        row.forEach((cell, x) => {
          const here = this.shown && x === this.x && y === this.y;
          if (!span || cell.p !== last || here) {
            span = document.createElement("span");
            const p = cell.p, flip = !!p.inverse !== here;
            const fg = flip ? p.bg || "#101418" : p.fg, bg = flip ? p.fg || "#d8dee4" : p.bg;
            if (fg) span.style.color = fg;
            if (bg) span.style.backgroundColor = bg;
            if (p.bold) span.style.fontWeight = "bold";
            if (p.dim) span.style.opacity = "0.7";
            if (p.italic) span.style.fontStyle = "italic";
            if (p.line) span.style.textDecoration = "underline";
            line.append(span);
          }
          span.textContent += cell.c;
          last = here ? null : cell.p;
        });
        out.append(line);
      });
      into.replaceChildren(out);
    }
  }

  // load reads a ttyrec as far as the page may keep it.
  const load = async src => {
    const answer = await fetch(src, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error("The recording cannot be read. Load the page anew.");
    const parts = [];
    let size = 0, whole = true;
    for (const reader = answer.body.getReader(); ;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      if ((size += value.length) > most) { whole = false; reader.cancel(); break; }
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const p of parts) { all.set(p, at); at += p.length; }
    const view = new DataView(all.buffer), frames = [];
    let time = 0, before = null;
    for (at = 0; at + 12 <= size;) {
      const stamp = view.getUint32(at, true) + view.getUint32(at + 4, true) / 1e6, n = view.getUint32(at + 8, true);
      if (at + 12 + n > size) break;
      if (before !== null) time += clamp(stamp - before, 0, 2);
      before = stamp;
      frames.push({ time, from: at + 12, to: at + 12 + n });
      at += 12 + n;
    }
    return { all, frames, length: time, whole };
  };

  document.addEventListener("DOMContentLoaded", () => {
    const box = document.getElementById("player");
    if (!box) return;
    const part = name => box.querySelector("[data-" + name + "]");
    const screen = box.querySelector(".terminal"), button = part("play"), bar = part("seek"), clock = part("clock"), speed = part("speed"), note = part("note");
    let tape = null, term = null, next = 0, now = 0, playing = false, last = 0, crlf = false, turn = 0;
    const stamp = s => Math.floor(s / 60) + ":" + String(Math.floor(s % 60)).padStart(2, "0");
    const show = () => {
      term.draw(screen);
      bar.value = tape.length ? Math.round(1000 * now / tape.length) : 1000;
      clock.textContent = stamp(now) + " / " + stamp(tape.length);
      button.textContent = playing ? "Pause" : now >= tape.length ? "Again" : "Play";
    };
    // forward plays up to a moment, some at a time so that the page stays usable.
    const forward = () => {
      const due = performance.now() + 30;
      for (; next < tape.frames.length && tape.frames[next].time <= now; next++) {
        term.write(tape.all.subarray(tape.frames[next].from, tape.frames[next].to));
        if (performance.now() > due) { next++; return false; }
      }
      return true;
    };
    const seek = to => { if (to < now) { term = new Terminal(crlf); next = 0; } now = to; };
    const step = mine => t => {
      if (mine !== turn || !tape) return;
      const ready = forward();
      if (playing && ready) now = Math.min(tape.length, now + speed.value * (t - last) / 1000);
      last = t;
      if (playing && now >= tape.length && next >= tape.frames.length) playing = false;
      show();
      if (playing || !ready || next < tape.frames.length && tape.frames[next].time <= now) requestAnimationFrame(step(mine));
    };
    const run = () => { last = performance.now(); turn++; requestAnimationFrame(step(turn)); };
    button.addEventListener("click", () => { if (!tape) return; if (!playing && now >= tape.length) seek(0); playing = !playing; run(); });
    bar.addEventListener("input", () => { if (!tape) return; seek(tape.length * bar.value / 1000); run(); });
    document.querySelectorAll("[data-src]").forEach(b => {
      b.hidden = false;
      b.addEventListener("click", async () => {
        b.setAttribute("aria-busy", "true");
        try {
          const loaded = await load(b.dataset.src);
          crlf = b.dataset.lines === "1";
          tape = loaded; term = new Terminal(crlf); next = 0; now = 0; playing = true;
          box.classList.remove("hidden");
          note.textContent = "Pauses of more than two seconds are cut short." + (tape.whole ? "" : " This is the beginning; the whole is in the download.");
          box.scrollIntoView({ block: "nearest" });
          run();
        } catch (e) {
          box.classList.remove("hidden");
          note.textContent = e.message;
        }
        b.removeAttribute("aria-busy");
      });
    });
  });
})();
