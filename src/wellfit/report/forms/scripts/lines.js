// The curves of the variants, on the page and on the live page: colors, labels at their ends, highlighting.
const here = { sync: false }; // the live server need not know about a page's appearance
const LINE = 15; // pixels from one label to the next
const FADED = 0.12;

// Charts come in the colors of white paper; replace them by the page's current ones.
const paint = (chart) => {
  const style = getComputedStyle(document.documentElement);
  const color = (role) => style.getPropertyValue(`--${role}`).trim();
  for (const model of chart.references()) {
    if (model.type === "GlyphRenderer") {
      const [line, filling = line] = model.glyph.tags; // roles of colors
      if ("line_color" in model.glyph) model.glyph.setv({ line_color: { value: color(line) } }, here);
      if ("fill_color" in model.glyph) model.glyph.setv({ fill_color: { value: color(filling) } }, here);
    } else if (model.type.endsWith("Axis")) {
      const muted = color("muted");
      model.setv({ axis_label_text_color: muted, major_label_text_color: muted, axis_line_color: color("rule") }, here);
    } else if (model.type === "Grid") model.setv({ grid_line_color: color("rule") }, here);
    else if (model.type === "Span" || model.type === "Slope") model.setv({ line_color: color("muted") }, here);
  }
};

// Hide canvases from screen readers, which get a description instead. Bokeh's are in shadow roots.
const hideCanvases = (root) => {
  for (const element of all("*", root)) {
    if (element.shadowRoot) hideCanvases(element.shadowRoot);
    if (element.matches("canvas")) element.setAttribute("aria-hidden", "true");
  }
};

// What the reader has switched on.
const chosen = (name) => new Set(all(`#controls input[name=${name}]:checked`).map((box) => box.value));
const wanted = () => {
  const variants = chosen("variant"), splits = chosen("split");
  return (renderer) => {
    const match = /^v(\d+)-(train|validation|stop)?/.exec(renderer.tags[0] ?? "");
    const split = match?.[2] === "stop" ? "validation" : match?.[2];
    return !match || (variants.has(match[1]) && (!split || splits.has(split)));
  };
};

const labels = new Map(); // chart -> the list of labels beside it
let highlighted = null; // the position of a variant

// Where every visible curve ends: variant -> distance from the top. Validation takes precedence over training.
const endsOf = (chart, frame) => {
  const ends = new Map();
  for (const { tags: [what], visible, data_source } of chart.renderers) {
    const [, variant, split] = /^v(\d+)-(validation|train|gap)$/.exec(what) ?? [];
    if (!visible || !variant || (split === "train" && ends.has(variant))) continue;
    const y = frame.y_scale.compute(data_source.data.mean.at(-1));
    if (y >= frame.bbox.top - 1 && y <= frame.bbox.bottom + 1) ends.set(variant, y);
  }
  return ends;
};
const labelEnds = (chart) => {
  const frame = Bokeh.index.get_by_id(chart.id)?.frame, list = labels.get(chart);
  if (!frame) return;
  let ends = [...endsOf(chart, frame)].sort(([, a], [, b]) => a - b);
  if (ends.length * LINE > frame.bbox.height + LINE) ends = ends.filter(([variant]) => variant === highlighted);
  let next = -Infinity; // labels that would overlap move apart: first down, then up again from the bottom
  ends = ends.map(([variant, y]) => [variant, (next = Math.max(y, next + LINE))]);
  next = frame.bbox.bottom + LINE;
  ends = ends.reverse().map(([variant, y]) => [variant, (next = Math.min(y, next - LINE))]);
  list.replaceChildren(...ends.map(([variant, y]) => {
    const chip = document.querySelector(`#controls input[name=variant][value="${variant}"]`).closest(".chip");
    const item = document.createElement("li"), name = document.createElement("span");
    name.textContent = chip.textContent.trim();
    item.style.top = `${y}px`;
    item.dataset.variant = variant;
    item.classList.toggle("faded", highlighted !== null && highlighted !== variant);
    item.append(chip.querySelector(".swatch").cloneNode(), name);
    return item;
  }));
};
let pending = false;
const labelAllEnds = () => {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; [...labels.keys()].forEach(labelEnds); });
};

// Highlight a variant; null for none.
const alphas = new WeakMap(); // glyph -> its alphas without highlighting
const highlight = (variant) => {
  if (variant === highlighted) return;
  highlighted = variant;
  for (const renderer of [...labels.keys()].flatMap((chart) => chart.renderers)) {
    const match = /^v(\d+)-/.exec(renderer.tags[0] ?? ""), { glyph } = renderer;
    if (!match) continue;
    const names = ["line_alpha", "fill_alpha"].filter((name) => name in glyph);
    if (!alphas.has(glyph)) alphas.set(glyph, Object.fromEntries(names.map((name) => [name, glyph[name].value])));
    const share = variant === null || match[1] === variant ? 1 : FADED;
    for (const name of names) glyph.setv({ [name]: { value: share * alphas.get(glyph)[name] } }, here);
  }
  labelAllEnds();
};

// Keep the labels of a chart at the ends of its lines.
const watchEnds = (chart, place) => {
  const list = document.createElement("ul");
  list.className = "ends";
  list.setAttribute("aria-hidden", "true"); // the controls have the same names
  place.append(list);
  place.classList.add("named");
  labels.set(chart, list);
  for (const end of ["start", "end"]) chart.y_range.properties[end].change.connect(labelAllEnds);
  for (const { data_source } of chart.renderers) data_source.properties.data.change.connect(labelAllEnds);
  new ResizeObserver(labelAllEnds).observe(place);
  list.addEventListener("pointerover", (event) => highlight(event.target.closest("li")?.dataset.variant ?? null));
  list.addEventListener("pointerleave", () => highlight(null));
};

// The controls: apply a change, and highlight the variant whose name has the pointer or the focus.
const watchControls = (controls, choose) => {
  const under = (event) => event.target.closest(".chip")?.querySelector("input[name=variant]:checked")?.value ?? null;
  controls.addEventListener("change", (event) => {
    choose();
    highlight(under(event));
    labelAllEnds();
  });
  for (const button of all("[data-choose]", controls)) {
    button.addEventListener("click", () => {
      const { choose: which } = button.dataset;
      for (const box of all("input[name=variant]", controls)) box.checked = which === "few" ? box.defaultChecked : which === "all";
      choose();
      labelAllEnds();
    });
  }
  for (const start of ["pointerover", "focusin"]) controls.addEventListener(start, (event) => highlight(under(event)));
  for (const end of ["pointerleave", "focusout"]) controls.addEventListener(end, () => highlight(null));
};
