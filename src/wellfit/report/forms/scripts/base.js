"use strict";
// Helpers of every part of the page. Text from the data enters the page as text, never as markup.
const $ = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const read = (id) => ($(id) ? JSON.parse($(id).textContent) : null);
const make = (tag, { text, ...attributes } = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
};
const options = (select, entries, chosen) =>
  select.replaceChildren(...entries.map(([value, text]) => make("option", { value, text, selected: String(value) === String(chosen) })));

document.documentElement.classList.add("live");
for (const element of all(".live-only")) element.hidden = false;

// One panel of several.
for (const select of all("select[data-chooses]")) {
  const panels = all(`.${select.dataset.chooses}`);
  const show = () => panels.forEach((panel) => panel.classList.toggle("away", panel.dataset.panel !== select.value));
  select.addEventListener("change", show);
  show();
}

// Sortable tables have a button in every heading. A column of numbers sorts by number, then words, the largest first, or
// the smallest where the heading has the class "low"; other columns sort as words, 9 before 10. Empty cells come last.
const amount = (cell, counts) => {
  const text = cell.dataset.value ?? cell.textContent.trim();
  if (text === "" || text === "–") return null;
  const number = Number(text.replace("−", "-").replace(/[,%]| points.*/g, "").trim().split(/\s/)[0]);
  return Number.isNaN(number) || !(counts || "value" in cell.dataset) ? text : number;
};
const order = (a, b) => {
  const words = [a, b].filter((text) => typeof text === "string").length;
  if (words === 1) return typeof a === "string" ? 1 : -1;
  return words ? a.localeCompare(b, "en", { numeric: true }) : a - b;
};
const sortBy = (table, column, way) => {
  const body = table.tBodies[0], counts = table.tHead.rows[0].cells[column].classList.contains("number");
  const keyed = [...body.rows].map((row) => [amount(row.cells[column], counts), row]);
  keyed.sort(([a], [b]) => (a === null) - (b === null) || (a === null ? 0 : way * order(a, b)));
  body.append(...keyed.map(([, row]) => row));
};
for (const table of all("table.sortable")) {
  all("thead th", table).forEach((heading, column) => {
    const button = make("button", { type: "button", class: "sort", text: heading.textContent });
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const first = heading.classList.contains("number") && !heading.classList.contains("low") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const next = heading.getAttribute("aria-sort") === first ? other : first;
      for (const each of all("th[aria-sort]", table)) each.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", next);
      sortBy(table, column, next === "ascending" ? 1 : -1);
    });
  });
}

// Mark the section being read in the navigation.
{
  const links = new Map(all("nav a").map((link) => [link.hash.slice(1), link]));
  const sections = all("main > section").filter((section) => links.has(section.id));
  const mark = () => {
    const bar = document.querySelector("nav > div");
    const here = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3).at(-1);
    if (!here) bar?.scrollTo({ left: 0 });
    for (const [id, link] of links) {
      if (id !== here?.id) link.removeAttribute("aria-current");
      else if (!link.hasAttribute("aria-current")) {
        link.setAttribute("aria-current", "true");
        bar.scrollTo({ left: link.offsetLeft - bar.offsetLeft - bar.clientWidth / 3 });
      }
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; mark(); });
  }, { passive: true });
  mark();
}

// A chart that is drawn above would push away the section that a link has just opened: stay there until the reader moves.
{
  let target = $(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", () => { target = $(location.hash.slice(1)); });
  for (const kind of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    addEventListener(kind, () => { target = null; }, { passive: true });
  }
  new ResizeObserver(() => target?.scrollIntoView()).observe(document.body);
}

const copy = $("copy");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText($("command").textContent);
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = "Copy"), 1600);
  });
}

// Boxes that scroll can be reached by the tab key; the others need not be.
{
  const reach = (entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  };
  const watcher = new ResizeObserver(reach);
  for (const box of all(".scroll[tabindex]")) watcher.observe(box);
}

// Interactive charts that have been drawn: id of the element -> Bokeh model.
const drawnCharts = {};
