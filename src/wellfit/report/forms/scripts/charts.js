// Interactive charts. A document of charts is opened when the reader scrolls near it, so that the page opens quickly. The
// library is packed in the page, and unpacked for the first chart; a browser that cannot keeps the static figures.
const library = $("library");
if (library && window.DecompressionStream) {
  let unpacked = null;
  const unpack = async () => {
    const bytes = Uint8Array.from(atob(library.textContent), (sign) => sign.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    document.head.append(make("script", { text: await new Response(plain).text() }));
    if (!window.Bokeh) throw new Error("the chart library does not run here");
  };
  const controls = $("controls");

  // What is chosen above the learning curves applies to every chart.
  const choose = () => applyChoice(Object.values(drawnCharts));
  if (controls) watchControls(controls, choose);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Object.values(drawnCharts).forEach(paint));

  // Screen readers get the descriptions of the static figures that a chart replaces.
  const describe = (place) => {
    const stills = all(".static [role=img]", place.closest("figure"));
    const its = stills.filter((still) => still.closest("[data-chart]")?.dataset.chart === place.id);
    const labels = (its.length ? its : stills).map((still) => still.getAttribute("aria-label"));
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
    try {
      await (unpacked ??= unpack());
    } catch {
      return; // the static figures stay
    }
    for (const element of Object.keys(roots)) {
      $(element).hidden = false;
      $(element).closest("figure").classList.add("drawn");
    }
    const before = new Set(Bokeh.documents);
    await Bokeh.embed.embed_items({ [name]: content }, [item]);
    for (const bokeh of Bokeh.documents) {
      if (before.has(bokeh)) continue;
      for (const root of bokeh.roots()) {
        if (elements[root.id]) drawnCharts[elements[root.id]] = root;
      }
    }
    for (const element of Object.keys(roots)) {
      describe($(element));
      if (controls && drawnCharts[element].tags.includes("by-epoch")) watchLines(drawnCharts[element], $(element));
    }
    if (controls) choose();
    for (const element of Object.keys(roots)) paint(drawnCharts[element]);
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
