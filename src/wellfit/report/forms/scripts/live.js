"use strict";
// The live pages. The server sends pieces of HTML, with every text escaped; each replaces its predecessor.
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
  parts.name.forEach((name, i) => {
    const html = parts.html[i], before = latest.get(name);
    latest.set(name, html);
    if (before === html) return;
    if (name === "structure") {
      if (before !== undefined) location.reload(); // other variants or more epochs need other charts
      return;
    }
    const place = document.querySelector(`[data-part="${name}"]`);
    const left = place.querySelector(".scroll")?.scrollLeft;
    place.innerHTML = html;
    if (left) place.querySelector(".scroll").scrollLeft = left;
  });
  ago();
};

const begin = (bokeh) => {
  const parts = bokeh.get_model_by_name("parts");
  const charts = bokeh.roots().filter((root) => root !== parts);
  const controls = document.getElementById("controls");
  const choose = () => {
    const shown = wanted();
    for (const renderer of charts.flatMap((chart) => chart.renderers)) {
      // The server sends nothing for hidden curves; it checks their lines.
      renderer.setv({ visible: shown(renderer) }, { sync: !/-(band|mark)$/.test(renderer.tags[0]) });
    }
    const log = controls.elements.log.checked;
    document.getElementById("chart-loss").hidden = log;
    document.getElementById("chart-log-loss").hidden = !log;
  };
  apply(parts.data);
  parts.properties.data.change.connect(() => apply(parts.data));
  charts.forEach(paint);
  all(".chart").forEach(hideCanvases);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(paint));
  if (controls) {
    watchControls(controls, choose);
    for (const chart of charts) watchEnds(chart, document.getElementById(chart.name));
    choose();
  }
  const lost = document.getElementById("lost");
  bokeh.on_event("connection_lost", () => { lost.hidden = false; });
  bokeh.on_event("client_reconnected", () => { lost.hidden = true; });
  document.documentElement.classList.add("connected");
};

const waiting = setInterval(() => {
  const [bokeh] = Bokeh.documents;
  if (!bokeh?.get_model_by_name("parts")) return;
  clearInterval(waiting);
  begin(bokeh);
}, 50);
setInterval(ago, 1000);
ago();
