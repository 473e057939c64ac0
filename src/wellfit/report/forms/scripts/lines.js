// The curves of the variants, on the page and on the live page: what is shown, colors, ranges, and labels at their ends.
const here = { sync: false }; // the live server need not know about a page's appearance
const LINE = 16; // pixels from one label to the next
const FADED = 0.18;
const MOST_BANDS = 3; // variants in color whose bands are drawn
const GRAY = 0.6; // how opaque a line of the crowd is

// Charts come in the colors of white paper; replace them by the page's current ones.
const cssColor = (role) => getComputedStyle(document.documentElement).getPropertyValue(`--${role}`).trim();
const paint = (chart) => {
  const muted = cssColor("muted"), rule = cssColor("rule");
  for (const model of chart.references()) {
    if (model.type.endsWith("Axis")) {
      model.setv({ axis_label_text_color: muted, major_label_text_color: muted, axis_line_color: rule }, here);
    } else if (model.type === "Grid") model.setv({ grid_line_color: rule }, here);
    else if (model.type === "Span" || model.type === "Slope") model.setv({ line_color: muted }, here);
  }
  for (const renderer of chart.renderers) dress(renderer);
};

// Hide canvases from screen readers, which get a description instead. Bokeh's are in shadow roots.
const hideCanvases = (root) => {
  for (const element of all("*", root)) {
    if (element.shadowRoot) hideCanvases(element.shadowRoot);
    if (element.matches("canvas")) element.setAttribute("aria-hidden", "true");
  }
};

// What the reader has chosen. A variant is in color, gray, or hidden.
const chosen = (name) => new Set(all(`#controls input[name=${name}]:checked`).map((box) => box.value));
const isOn = (name) => document.querySelector(`#controls input[name=${name}]`)?.checked ?? false;
let highlighted = null; // the position of a variant
let choice = null;
const readChoice = () => {
  choice = { variants: chosen("variant"), splits: chosen("split"), others: isOn("others"), whole: isOn("whole") };
};
const stateOf = (variant) => (choice.variants.has(variant) ? "color" : choice.others ? "gray" : "hidden");

// What a renderer draws: of which variant, which curve, and which part of it (none for the line itself).
const what = (renderer) => /^v(\d+)-([a-z]+)(?:-([a-z]+))?$/.exec(renderer.tags[0] ?? "")?.slice(1) ?? [];
const isSplit = (curve) => curve === "train" || curve === "validation";
// The one curve of a variant that is gray in the crowd and named at its end.
const isMain = (curve) => !isSplit(curve) || curve === (choice.splits.has("validation") ? "validation" : "train");
const lookOf = (renderer) => {
  const [variant, curve, part] = what(renderer);
  if (variant === undefined || !choice) return "color";
  const split = curve === "stop" ? "validation" : curve;
  if (isSplit(split) && !choice.splits.has(split)) return "hidden";
  const state = variant === highlighted && choice.others ? "color" : stateOf(variant);
  const banded = curve !== "train" && choice.variants.size <= MOST_BANDS; // more of them would hide each other
  if (part === "band" && variant !== highlighted && !banded) return "hidden";
  if (state === "gray") return part || curve === "stop" || !isMain(curve) ? "hidden" : "gray";
  return state === "color" && highlighted !== null && variant !== highlighted && !choice.others ? "faded" : state;
};

// Dress a renderer: its color, and how strong it is.
const worn = new WeakMap(); // renderer -> its look and theme
const tailored = new WeakMap(); // glyph -> its width and alphas as they came
const dress = (renderer) => {
  const look = lookOf(renderer), { glyph } = renderer, sign = `${look} ${cssColor("paper")}`;
  if (worn.get(renderer) === sign) return;
  worn.set(renderer, sign);
  if (!tailored.has(glyph)) {
    const names = ["line_width", "line_alpha", "fill_alpha"].filter((name) => name in glyph);
    tailored.set(glyph, Object.fromEntries(names.map((name) => [name, glyph[name].value])));
  }
  const gray = look === "gray", own = tailored.get(glyph), changes = {};
  const [line, filling = line] = gray ? ["crowd"] : glyph.tags; // roles of colors
  if ("line_color" in glyph) changes.line_color = { value: cssColor(line) };
  if ("fill_color" in glyph) changes.fill_color = { value: cssColor(filling) };
  if ("line_width" in own) changes.line_width = { value: gray ? 1.1 : own.line_width };
  for (const name of ["line_alpha", "fill_alpha"]) {
    if (name in own) changes[name] = { value: own[name] * (gray ? GRAY : look === "faded" ? FADED : 1) };
  }
  glyph.setv(changes, here);
  renderer.setv({ visible: look !== "hidden" }, here);
  const [variant, , part] = what(renderer); // colored lines are above gray ones
  if (variant !== undefined && part !== "band") renderer.setv({ level: gray ? "underlay" : "glyph" }, here);
};

// The part of the value axis that shows how curves differ; `interesting` in numbers.py is the same for static figures.
const OUTLIER = 12;
const quantile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b), at = share * (sorted.length - 1), below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
};
const interesting = (curves, whole) => {
  const late = curves.map((mean) => mean.slice(whole ? 0 : Math.floor(mean.length / 3)));
  const middles = late.map((mean) => quantile(mean, 0.5)), center = quantile(middles, 0.5);
  const distances = middles.map((middle) => Math.abs(middle - center));
  const usual = quantile(late.map((mean, i) => distances[i] + (Math.max(...mean) - Math.min(...mean)) / 2), 0.5);
  const near = late.filter((_, i) => whole || !usual || distances[i] <= OUTLIER * usual), all = near.flat();
  const values = [...(whole ? [0, 1] : [0.05, 0.95]).map((share) => quantile(all, share)), ...near.map((mean) => mean.at(-1))];
  const low = Math.min(...values), high = Math.max(...values), margin = 0.06 * (high - low) || 0.01;
  return [low >= 0 ? Math.max(low - margin, 0) : low - margin, high + margin];
};
const fitted = new WeakMap(); // chart -> the range that it was given; a reader who zooms changes it
const fit = (chart, anyway = true) => {
  if (!chart.tags.includes("by-epoch") || !choice) return;
  const { y_range: range } = chart, before = fitted.get(chart);
  if (!anyway && before && (range.start !== before[0] || range.end !== before[1])) return;
  const curves = chart.renderers.filter((renderer) => {
    const [variant, curve, part] = what(renderer), state = stateOf(variant);
    if (part || curve === "stop" || variant === undefined || state === "hidden") return false;
    return (state === "color" || isMain(curve)) && (!isSplit(curve) || choice.splits.has(curve));
  }).map((renderer) => [...renderer.data_source.data.mean]).filter((mean) => mean.length);
  if (!curves.length) return;
  let [start, end] = interesting(curves, choice.whole);
  if (chart.id === logarithmic) start = Math.max(start, Math.min(...curves.flat().filter((y) => y > 0)) * 0.9, end / 1e6);
  fitted.set(chart, [start, end]);
  range.setv({ start, end, reset_start: start, reset_end: end }, here);
};
let logarithmic = null; // the id of the only chart with a logarithmic value axis

const labels = new Map(); // chart -> the list of labels beside it
const nameOf = (variant) => document.querySelector(`#controls input[name=variant][value="${variant}"]`).closest(".chip");

// Where every colored curve ends: variant -> distance from the top, within the panel, and an arrow to a line outside.
const endsOf = (chart, frame) => {
  const ends = new Map(), { top, bottom } = frame.bbox;
  for (const renderer of chart.renderers) {
    const [variant, curve, part] = what(renderer), look = lookOf(renderer);
    if (part || !isMain(curve) || curve === "stop" || (look !== "color" && look !== "faded")) continue;
    const last = renderer.data_source.data.mean.at(-1);
    if (last === undefined) continue;
    const y = frame.y_scale.compute(last), arrow = y < top - 1 ? "\u2191\u00a0" : y > bottom + 1 ? "\u2193\u00a0" : "";
    ends.set(variant, [Math.min(bottom, Math.max(top, y)), arrow]);
  }
  return ends;
};
const labelEnds = (chart) => {
  const frame = Bokeh.index.get_by_id(chart.id)?.frame, list = labels.get(chart);
  if (!frame || !choice) return;
  let ends = [...endsOf(chart, frame)].map(([variant, [y, arrow]]) => [variant, y, arrow]).sort(([, a], [, b]) => a - b);
  if (ends.length * LINE > frame.bbox.height + LINE) ends = ends.filter(([variant]) => variant === highlighted);
  let next = -Infinity; // labels that would overlap move apart: first down, then up again from the bottom
  ends = ends.map(([variant, y, arrow]) => [variant, (next = Math.max(y, next + LINE)), arrow]);
  next = frame.bbox.bottom + LINE;
  ends = ends.reverse().map(([variant, y, arrow]) => [variant, (next = Math.min(y, next - LINE)), arrow]);
  list.style.left = `${frame.bbox.right}px`;
  list.replaceChildren(...ends.map(([variant, y, arrow]) => {
    const chip = nameOf(variant), item = document.createElement("li"), name = document.createElement("span");
    name.textContent = arrow + chip.textContent.trim();
    item.title = chip.textContent.trim();
    item.style.top = `${y}px`;
    item.dataset.variant = variant;
    item.classList.toggle("faded", !choice.others && highlighted !== null && highlighted !== variant);
    item.append(chip.querySelector(".swatch").cloneNode(), name);
    return item;
  }));
};
let pending = false;
const refresh = () => {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    for (const chart of labels.keys()) fit(chart, false);
    [...labels.keys()].forEach(labelEnds);
  });
};

// Highlight a variant; null for none.
const highlight = (variant) => {
  if (variant === highlighted) return;
  highlighted = variant;
  for (const chart of labels.keys()) chart.renderers.forEach(dress);
  for (const chip of all("#controls .chip:has([name=variant])")) {
    chip.classList.toggle("pointed", chip.querySelector("input").value === variant);
  }
  [...labels.keys()].forEach(labelEnds);
};

// Apply what has been chosen to charts: which of them are shown, and how each line looks.
const applyChoice = (charts) => {
  readChoice();
  for (const chart of charts) {
    chart.renderers.forEach(dress);
    fit(chart);
  }
  const metric = [...chosen("metric")][0], log = document.querySelector("#controls input[name=log]");
  log.disabled = metric !== "loss";
  for (const box of all("#controls input[name=split]")) box.disabled = metric === "gap"; // the gap is of both
  const shown = metric === "loss" && log.checked ? "log-loss" : metric;
  for (const one of ["loss", "log-loss", "accuracy", "gap"]) {
    const place = document.getElementById(`chart-${one}`);
    if (place) place.hidden = one !== shown;
  }
  refresh();
};

// Keep the labels of a chart at the ends of its lines, and say the values at the pointer.
const watchLines = (chart, place) => {
  if (chart.y_range.type === "Range1d" && chart.left[0].type === "LogAxis") logarithmic = chart.id;
  if (innerWidth < 704 && chart.height > 340) chart.setv({ height: 340 }, here);
  const list = document.createElement("ul");
  list.className = "ends";
  list.setAttribute("aria-hidden", "true"); // the controls have the same names
  place.append(list);
  place.classList.add("named");
  labels.set(chart, list);
  for (const end of ["start", "end"]) chart.y_range.properties[end].change.connect(refresh);
  for (const { data_source } of chart.renderers) data_source.properties.data.change.connect(refresh);
  new ResizeObserver(refresh).observe(place);
  list.addEventListener("pointerover", (event) => highlight(event.target.closest("li")?.dataset.variant ?? null));
  list.addEventListener("pointerleave", () => highlight(null));
  watchPointer(chart, place);
};

// The controls: apply a change, and highlight the variant whose name has the pointer or the focus.
const watchControls = (controls, choose) => {
  const under = (event) => event.target.closest(".chip")?.querySelector("input[name=variant]")?.value ?? null;
  const able = (variant) => (variant !== null && (choice?.others || choice?.variants.has(variant)) ? variant : null);
  controls.addEventListener("change", (event) => {
    choose();
    highlight(able(under(event)));
  });
  for (const button of all("[data-choose]", controls)) {
    button.addEventListener("click", () => {
      const picked = button.dataset.choose.split(" ");
      for (const box of all("input[name=variant]", controls)) box.checked = picked[0] === "all" || picked.includes(box.value);
      choose();
    });
  }
  for (const start of ["pointerover", "focusin"]) controls.addEventListener(start, (event) => highlight(able(under(event))));
  for (const end of ["pointerleave", "focusout"]) controls.addEventListener(end, () => highlight(null));
};
