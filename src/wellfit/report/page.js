"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];

  // One confusion matrix at a time; on paper, and without this script, all of them.
  const choice = $("matrix-choice");
  if (choice) {
    const show = () => all(".matrix").forEach((m, i) => m.classList.toggle("away", i !== Number(choice.value)));
    choice.addEventListener("change", show);
    choice.parentElement.hidden = false;
    show();
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

  if (!window.Bokeh) return;

  const roots = JSON.parse($("charts-roots").textContent);
  const controls = $("controls");
  const charts = {}; // element id -> Bokeh model

  // Colors were written for white paper; read those that this page has now.
  const paint = () => {
    const style = getComputedStyle(document.documentElement);
    const color = (role) => style.getPropertyValue(`--${role}`).trim();
    for (const chart of Object.values(charts)) {
      for (const model of chart.references()) {
        if (model.type === "GlyphRenderer") {
          const [line, fill] = model.glyph.tags; // names of colors
          if ("line_color" in model.glyph) model.glyph.line_color = { value: color(line) };
          if ("fill_color" in model.glyph) model.glyph.fill_color = { value: color(fill ?? line) };
        } else if (model.type.endsWith("Axis")) {
          model.axis_label_text_color = model.major_label_text_color = color("muted");
          model.axis_line_color = color("rule");
        } else if (model.type === "Grid") model.grid_line_color = color("rule");
        else if (model.type === "Label") model.text_color = color("ink");
        else if (model.type === "Span") model.line_color = color("muted");
      }
    }
  };

  const choose = () => {
    const on = (name) => new Set(all(`#controls input[name=${name}]:checked`).map((box) => box.value));
    const variants = on("variant"), splits = on("split");
    for (const chart of Object.values(charts)) {
      for (const renderer of chart.renderers) {
        const found = /^v(\d+)-(train|validation|gap)/.exec(renderer.name ?? "");
        if (found) renderer.visible = variants.has(found[1]) && (found[2] === "gap" || splits.has(found[2]));
      }
    }
    const log = controls.elements.log.checked;
    $("chart-loss").hidden = log;
    $("chart-log-loss").hidden = !log;
  };

  (async () => {
    const content = JSON.parse($("charts-document").textContent);
    const elements = Object.fromEntries(Object.entries(roots).map(([element, root]) => [root, element]));
    // Bokeh pairs elements with roots by their place in the document.
    const item = { docid: "charts", roots: elements, root_ids: content.roots.map((root) => root.id) };
    for (const element of Object.keys(roots)) $(element).hidden = false;
    await Bokeh.embed.embed_items({ charts: content }, [item]);
    for (const bokeh of Bokeh.documents) {
      for (const root of bokeh.roots()) charts[elements[root.id]] = root;
    }
    document.documentElement.classList.add("live");
    if (controls) {
      controls.hidden = false;
      controls.addEventListener("change", choose);
      choose();
    }
    paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  })();
})();
