"use strict";

// Tables: a press on a column's head sorts by it, and another one the other way round.
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) return;
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const order = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    if (typeof one === "number") return -1;
    if (typeof other === "number") return 1;
    return one.localeCompare(other);
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const second = first === "ascending" ? "descending" : "ascending";
      const next = before === first ? second : first;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      const sorted = rows.slice().sort((one, other) => {
        const [a, b] = [key(one, column), key(other, column)];
        // what is empty comes last, whichever way
        if (a === "" || b === "") return (a === "") - (b === "");
        return sign * order(a, b);
      });
      table.tBodies[0].replaceChildren(...sorted);
    });
  });
}

// Samples: one page at a time, by buttons or by the arrow keys.
function paged(pages) {
  const all = [...pages.children];
  if (all.length < 2) return;
  let shown = 0;
  const turn = document.createElement("div");
  turn.className = "turn";
  const said = document.createElement("output");
  const button = (sign, name, step) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = sign;
    made.setAttribute("aria-label", `${name}: ${pages.getAttribute("aria-label")}`);
    made.addEventListener("click", () => show(shown + step));
    return made;
  };
  function show(place) {
    shown = (place + all.length) % all.length;
    all.forEach((page, number) => { page.hidden = number !== shown; });
    said.textContent = `${shown + 1} of ${all.length}`;
  }
  turn.append(button("‹", "Previous", -1), said, button("›", "Next", 1));
  pages.prepend(turn);
  pages.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    show(shown + step);
  });
  show(0);
}

// Boxes that scroll can be reached by the keyboard; those that need not, are passed by.
function reachable() {
  for (const box of document.querySelectorAll(".wide, blockquote, pre")) {
    if (!box.getClientRects().length) continue;
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// Contents: closed on a phone, where they would fill the screen, and marked where the reader is.
function contents() {
  const box = document.querySelector(".contents details");
  const wide = window.matchMedia("(min-width: 64rem)");
  const fit = () => { box.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
  const links = new Map([...box.querySelectorAll("a")].map((link) => [link.hash.slice(1), link]));
  box.addEventListener("click", (event) => { if (event.target.closest("a") && !wide.matches) box.open = false; });
  const sections = [...links.keys()].map((id) => document.getElementById(id));
  const mark = () => {
    const current = sections.filter((section) => section.getBoundingClientRect().top < window.innerHeight / 3).pop();
    links.forEach((link, id) => {
      if (current && id === current.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  window.addEventListener("scroll", mark, { passive: true });
  mark();
}

document.querySelectorAll("table").forEach(sortable);
document.querySelectorAll(".pages").forEach(paged);
contents();
reachable();
window.addEventListener("resize", reachable);
document.addEventListener("toggle", reachable, true);
