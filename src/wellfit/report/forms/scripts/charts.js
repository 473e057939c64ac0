// Interactive charts: a document of them is opened when its place comes near, so that the page itself opens at once.
if (window.Bokeh) {
  const controls = $("controls");
  const charts = {}; // element id -> Bokeh model

  // Which variants and splits are switched on holds for every chart that has them.
  const choose = () => {
    const shown = wanted();
    const some = (chart) => chart.renderers.some(shown);
    // An axis that fits what is visible must not look where nothing is: it would complain.
    const fit = (chart, way) => { if (chart.y_range.type === "DataRange1d") chart.y_range.only_visible = way; };
    for (const chart of Object.values(charts)) if (!some(chart)) fit(chart, false);
    for (const chart of Object.values(charts)) for (const renderer of chart.renderers) renderer.visible = shown(renderer);
    for (const chart of Object.values(charts)) if (some(chart)) fit(chart, true);
    const log = controls.elements.log.checked;
    if (charts["chart-loss"]) {
      $("chart-loss").hidden = log;
      $("chart-log-loss").hidden = !log;
    }
  };
  if (controls) watchControls(controls, choose);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Object.values(charts).forEach(paint));

  // Who cannot see a drawing is told what the still figures say whose place it takes.
  const describe = (place) => {
    const said = all(".static [role=img]", place.closest("figure")).map((still) => still.getAttribute("aria-label"));
    place.prepend(make("span", { class: "unseen", role: "img", "aria-label": said.join("; ") }));
    hush(place);
  };

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
    for (const element of Object.keys(roots)) {
      paint(charts[element]);
      describe($(element));
      if (controls && $(element).closest("#curves")) watchEnds(charts[element], $(element));
    }
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
