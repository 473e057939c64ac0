// Interactive charts. A document of charts is opened when the reader scrolls near it, so that the page opens quickly. The
// library is packed in the page, and unpacked for the first chart; a browser that cannot keeps the static figures.
const library = $("library");
if (library && window.DecompressionStream) {
  let unpacked = null;
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(library.textContent), (sign) => sign.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    document.head.append(make("script", { text: await new Response(plain).text() }));
  };
  const controls = $("controls");
  const charts = {}; // element id -> Bokeh model

  // The chosen variants and splits apply to every chart.
  const choose = () => {
    const shown = wanted();
    const some = (chart) => chart.renderers.some(shown);
    // Bokeh warns when an axis fits only visible curves and there are none.
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

  // Screen readers get the descriptions of the static figures that a chart replaces.
  const describe = (place) => {
    const labels = all(".static [role=img]", place.closest("figure")).map((still) => still.getAttribute("aria-label"));
    place.prepend(make("span", { class: "unseen", role: "img", "aria-label": labels.join("; ") }));
    hideCanvases(place);
  };

  let opened = 0;
  const open = async (script) => {
    const roots = JSON.parse(script.dataset.roots);
    const content = JSON.parse(script.textContent);
    const elements = Object.fromEntries(Object.entries(roots).map(([element, root]) => [root, element]));
    const name = `charts-${opened++}`;
    // Bokeh pairs elements with roots by position.
    const item = { docid: name, roots: elements, root_ids: content.roots.map((root) => root.id) };
    for (const element of Object.keys(roots)) {
      $(element).hidden = false;
      $(element).closest("figure").classList.add("drawn");
    }
    await (unpacked ??= unpack());
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
