"use strict";
// The live pages. They ask the server for what is new: pieces of HTML, with every text escaped, and data of curves.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
document.documentElement.classList.add("live");

const ago = () => {
  for (const time of all("time[data-seconds]")) {
    const seconds = Math.max(0, Math.round(Date.now() / 1000 - Number(time.dataset.seconds)));
    const [count, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"]
      : seconds < 172800 ? [Math.floor(seconds / 3600), "h"] : [Math.floor(seconds / 86400), "days"];
    time.title ||= time.textContent;
    time.textContent = seconds < 2 ? "just now" : `${count} ${unit} ago`;
  }
};

const latest = new Map(); // name of a piece -> what was sent last
const apply = (parts) => {
  for (const [name, html] of Object.entries(parts)) {
    const before = latest.get(name);
    latest.set(name, html);
    if (before === html) continue;
    if (name === "structure") {
      if (html !== document.getElementById("charts").dataset.structure) location.reload(); // it needs other charts
      continue;
    }
    const place = document.querySelector(`[data-part="${name}"]`);
    const left = place.querySelector(".scroll")?.scrollLeft;
    place.innerHTML = html;
    if (left) place.querySelector(".scroll").scrollLeft = left;
  }
  ago();
};

let charts = [];
const controls = document.getElementById("controls");
const draw = (curves) => {
  for (const chart of charts) {
    for (const { tags: [what], data_source } of chart.renderers) {
      const columns = curves[`${chart.name} ${what}`];
      if (columns) data_source.data = columns;
    }
  }
};

// Ask again and again: at most every 0.4 s, and less often where the server is slow.
const PAUSE = 400, MOST = 30000; // milliseconds
const lost = document.getElementById("lost");
let since = "";
const say = (text) => { lost.textContent = text; lost.hidden = !text; };
const ask = async () => {
  const began = performance.now(), seen = since;
  const curves = controls ? `&variants=${askedFor().join(",")}` : "";
  try {
    const answer = await fetch(`${document.body.dataset.updates}&since=${seen}${curves}`, { signal: AbortSignal.timeout(MOST) });
    const now = await answer.json();
    say(now.trouble ?? "");
    if (now.parts) apply(now.parts);
    if (now.curves) Object.values(now.curves).forEach(draw);
    if (now.version !== undefined && since === seen) since = now.version;
    document.documentElement.classList.add("connected");
  } catch {
    say("The server no longer responds. This is the last state that it reported.");
  }
  setTimeout(ask, Math.max(PAUSE, 4 * (performance.now() - began)));
};

// Of curves that are hidden, nothing is asked for.
const askedFor = () => all("#controls input[name=variant]").filter((box) => box.checked || isOn("others")).map((box) => box.value);
const choose = () => {
  applyChoice(charts);
  since = "";
};

const begin = async () => {
  const script = document.getElementById("charts");
  if (script) {
    const content = JSON.parse(script.textContent);
    const elements = Object.fromEntries(Object.entries(JSON.parse(script.dataset.roots)).map(([element, root]) => [root, element]));
    const item = { docid: "live", roots: elements, root_ids: content.roots.map((root) => root.id) };
    await Bokeh.embed.embed_items({ live: content }, [item]);
    charts = Bokeh.documents[0].roots();
    all(".chart").forEach(hideCanvases);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(paint));
    watchControls(controls, choose);
    for (const chart of charts) watchLines(chart, document.getElementById(chart.name));
    choose();
    charts.forEach(paint);
  }
  setInterval(ago, 1000);
  ago();
  await ask();
};
addEventListener("DOMContentLoaded", begin);
