// The lines of variants, on the page and on the live page: their colors, their names at the end, and which stands out.
const here = { sync: false }; // a server need not know what a page looks like
const HIGH = 15; // pixels from one name to the next
const FADED = 0.12;

// Colors were written for white paper; read those that this page has now.
const paint = (chart) => {
  const style = getComputedStyle(document.documentElement);
  const color = (role) => style.getPropertyValue(`--${role}`).trim();
  for (const model of chart.references()) {
    if (model.type === "GlyphRenderer") {
      const [line, filling = line] = model.glyph.tags; // names of colors
      if ("line_color" in model.glyph) model.glyph.setv({ line_color: { value: color(line) } }, here);
      if ("fill_color" in model.glyph) model.glyph.setv({ fill_color: { value: color(filling) } }, here);
    } else if (model.type.endsWith("Axis")) {
      const muted = color("muted");
      model.setv({ axis_label_text_color: muted, major_label_text_color: muted, axis_line_color: color("rule") }, here);
    } else if (model.type === "Grid") model.setv({ grid_line_color: color("rule") }, here);
    else if (model.type === "Span" || model.type === "Slope") model.setv({ line_color: color("muted") }, here);
  }
};

// Canvases say nothing to a screen reader; the words for them stand beside them. Bokeh's lie in shadow roots.
const hush = (root) => {
  for (const element of all("*", root)) {
    if (element.shadowRoot) hush(element.shadowRoot);
    if (element.matches("canvas")) element.setAttribute("aria-hidden", "true");
  }
};

// What is switched on.
const chosen = (name) => new Set(all(`#controls input[name=${name}]:checked`).map((box) => box.value));
const wanted = () => {
  const variants = chosen("variant"), splits = chosen("split");
  return (renderer) => {
    const found = /^v(\d+)-(train|validation|stop)?/.exec(renderer.tags[0] ?? "");
    const split = found?.[2] === "stop" ? "validation" : found?.[2];
    return !found || (variants.has(found[1]) && (!split || splits.has(split)));
  };
};

const named = new Map(); // chart -> the list of names beside it
let standing = null; // the variant that stands out

// Where every line that is shown ends: variant -> height, from the top. Of two splits validation counts.
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
const nameEnds = (chart) => {
  const frame = Bokeh.index.get_by_id(chart.id)?.frame, list = named.get(chart);
  if (!frame) return;
  let ends = [...endsOf(chart, frame)].sort(([, a], [, b]) => a - b);
  if (ends.length * HIGH > frame.bbox.height + HIGH) ends = ends.filter(([variant]) => variant === standing);
  let next = -Infinity; // names that would overlap move apart: first down, then up again from the foot
  ends = ends.map(([variant, y]) => [variant, (next = Math.max(y, next + HIGH))]);
  next = frame.bbox.bottom + HIGH;
  ends = ends.reverse().map(([variant, y]) => [variant, (next = Math.min(y, next - HIGH))]);
  list.replaceChildren(...ends.map(([variant, y]) => {
    const chip = document.querySelector(`#controls input[name=variant][value="${variant}"]`).closest(".chip");
    const item = document.createElement("li"), name = document.createElement("span");
    name.textContent = chip.textContent.trim();
    item.style.top = `${y}px`;
    item.dataset.variant = variant;
    item.classList.toggle("faded", standing !== null && standing !== variant);
    item.append(chip.querySelector(".swatch").cloneNode(), name);
    return item;
  }));
};
let asked = false;
const nameAllEnds = () => {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; [...named.keys()].forEach(nameEnds); });
};

// Bring out a variant; null for all alike.
const alphas = new WeakMap(); // glyph -> its alphas when nothing stands out
const bringOut = (variant) => {
  if (variant === standing) return;
  standing = variant;
  for (const renderer of [...named.keys()].flatMap((chart) => chart.renderers)) {
    const found = /^v(\d+)-/.exec(renderer.tags[0] ?? ""), { glyph } = renderer;
    if (!found) continue;
    const names = ["line_alpha", "fill_alpha"].filter((name) => name in glyph);
    if (!alphas.has(glyph)) alphas.set(glyph, Object.fromEntries(names.map((name) => [name, glyph[name].value])));
    const share = variant === null || found[1] === variant ? 1 : FADED;
    for (const name of names) glyph.setv({ [name]: { value: share * alphas.get(glyph)[name] } }, here);
  }
  nameAllEnds();
};

// Keep the names of a chart beside its lines.
const watchEnds = (chart, place) => {
  const list = document.createElement("ul");
  list.className = "ends";
  list.setAttribute("aria-hidden", "true"); // the choice above says the same names
  place.append(list);
  place.classList.add("named");
  named.set(chart, list);
  for (const end of ["start", "end"]) chart.y_range.properties[end].change.connect(nameAllEnds);
  for (const { data_source } of chart.renderers) data_source.properties.data.change.connect(nameAllEnds);
  new ResizeObserver(nameAllEnds).observe(place);
  list.addEventListener("pointerover", (event) => bringOut(event.target.closest("li")?.dataset.variant ?? null));
  list.addEventListener("pointerleave", () => bringOut(null));
};

// The choice of variants: what happens when it changes, and when a name is pointed at or gets the focus.
const watchControls = (controls, choose) => {
  const under = (event) => event.target.closest(".chip")?.querySelector("input[name=variant]:checked")?.value ?? null;
  controls.addEventListener("change", (event) => {
    choose();
    bringOut(under(event));
    nameAllEnds();
  });
  for (const button of all("[data-choose]", controls)) {
    button.addEventListener("click", () => {
      const { choose: which } = button.dataset;
      for (const box of all("input[name=variant]", controls)) box.checked = which === "few" ? box.defaultChecked : which === "all";
      choose();
      nameAllEnds();
    });
  }
  for (const begins of ["pointerover", "focusin"]) controls.addEventListener(begins, (event) => bringOut(under(event)));
  for (const ends of ["pointerleave", "focusout"]) controls.addEventListener(ends, () => bringOut(null));
};
