// Interactive charts: a document of them is opened when its place comes near, so that the page itself opens at once.
if (window.Bokeh) {
  const controls = $("controls");
  const charts = {}; // element id -> Bokeh model

  // Colors were written for white paper; read those that this page has now.
  const paint = (chart) => {
    const style = getComputedStyle(document.documentElement);
    const color = (role) => style.getPropertyValue(`--${role}`).trim();
    for (const model of chart.references()) {
      if (model.type === "GlyphRenderer") {
        const [role] = model.glyph.tags; // the name of a color
        if ("line_color" in model.glyph) model.glyph.line_color = { value: color(role) };
        if ("fill_color" in model.glyph) model.glyph.fill_color = { value: color(role) };
      } else if (model.type.endsWith("Axis")) {
        model.axis_label_text_color = model.major_label_text_color = color("muted");
        model.axis_line_color = color("rule");
      } else if (model.type === "Grid") model.grid_line_color = color("rule");
      else if (model.type === "Span" || model.type === "Slope") model.line_color = color("muted");
    }
  };

  // Which variants and splits are switched on holds for every chart that has them.
  const choose = () => {
    const on = (name) => new Set(all(`#controls input[name=${name}]:checked`).map((box) => box.value));
    const variants = on("variant"), splits = on("split");
    const wanted = (renderer) => {
      const found = /^v(\d+)-(train|validation|stop)?/.exec(renderer.tags[0] ?? "");
      const split = found?.[2] === "stop" ? "validation" : found?.[2];
      return !found || (variants.has(found[1]) && (!split || splits.has(split)));
    };
    const some = (chart) => chart.renderers.some(wanted);
    // An axis that fits what is visible must not look where nothing is: it would complain.
    const fit = (chart, way) => { if (chart.y_range.type === "DataRange1d") chart.y_range.only_visible = way; };
    for (const chart of Object.values(charts)) if (!some(chart)) fit(chart, false);
    for (const chart of Object.values(charts)) for (const renderer of chart.renderers) renderer.visible = wanted(renderer);
    for (const chart of Object.values(charts)) if (some(chart)) fit(chart, true);
    const log = controls.elements.log.checked;
    if (charts["chart-loss"]) {
      $("chart-loss").hidden = log;
      $("chart-log-loss").hidden = !log;
    }
  };
  if (controls) {
    controls.addEventListener("change", choose);
    for (const button of all("[data-choose]", controls)) {
      button.addEventListener("click", () => {
        for (const box of all("input[name=variant]", controls)) box.checked = button.dataset.choose === "all";
        choose();
      });
    }
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Object.values(charts).forEach(paint));

  let opened = 0;
  const open = async (script) => {
    const roots = JSON.parse(script.dataset.roots);
    const content = JSON.parse(script.textContent);
    const elements = Object.fromEntries(Object.entries(roots).map(([element, root]) => [root, element]));
    const name = `charts-${opened++}`;
    // Bokeh pairs elements with roots by their place in the document.
    const item = { docid: name, roots: elements, root_ids: content.roots.map((root) => root.id) };
    for (const element of Object.keys(roots)) {
      $(element).hidden = false;
      $(element).closest("figure").classList.add("drawn");
    }
    const before = new Set(Bokeh.documents);
    await Bokeh.embed.embed_items({ [name]: content }, [item]);
    for (const bokeh of Bokeh.documents) {
      if (before.has(bokeh)) continue;
      for (const root of bokeh.roots()) {
        if (elements[root.id]) charts[elements[root.id]] = root;
      }
    }
    for (const element of Object.keys(roots)) paint(charts[element]);
    if (controls) choose();
  };

  const near = new Map();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const script = near.get(entry.target);
      if (!entry.isIntersecting || !script) continue;
      for (const [figure, its] of near) {
        if (its === script) { near.delete(figure); watcher.unobserve(figure); }
      }
      open(script);
    }
  }, { rootMargin: "500px 0px" });
  for (const script of all("script.chart-document")) {
    for (const element of Object.keys(JSON.parse(script.dataset.roots))) {
      const figure = $(element)?.closest("figure");
      if (figure) { near.set(figure, script); watcher.observe(figure); }
    }
  }
}
