// The values at the pointer: one line through a chart, and one list of all shown variants, in the order of their lines.
const MOST_ROWS = innerWidth < 704 ? 8 : 22;
const NEAR = 30; // pixels from the pointer to the line that it points at

const digits = { "chart-gap": 2, "chart-accuracy": 2 };
const amountOf = (chart, value) => {
  if (value === undefined || !Number.isFinite(value)) return "";
  const text = Math.abs(value).toFixed(digits[chart] ?? 3);
  return value < 0 && Number(text) ? `\u2212${text}` : text;
};

// The values of every shown variant at an epoch: variant, its main curve's value, training's, and the seeds' range.
const valuesAt = (chart, epoch) => {
  const rows = new Map();
  for (const renderer of chart.renderers) {
    const [variant, curve, part] = what(renderer);
    if (variant === undefined || part || curve === "stop" || stateOf(variant) === "hidden") continue;
    if (isSplit(curve) && !choice.splits.has(curve)) continue;
    const { data } = renderer.data_source, at = data.epoch.indexOf(epoch);
    if (at < 0) continue;
    const row = rows.get(variant) ?? { variant };
    const [mean, low, high, n] = ["mean", "low", "high", "n"].map((column) => data[column][at]);
    if (isMain(curve)) Object.assign(row, { mean, low, high, n });
    else row.train = mean;
    rows.set(variant, row);
  }
  return [...rows.values()].filter((row) => row.mean !== undefined).sort((a, b) => b.mean - a.mean);
};

const tableOf = (place, epoch, rows, value) => {
  const both = rows.some((row) => row.train !== undefined), id = place.id.replace("log-", "");
  const cell = (tag, text, name) => Object.assign(document.createElement(tag), { textContent: text, className: name ?? "" });
  const table = document.createElement("table"), head = document.createElement("tr");
  const only = /gap|norms/.test(id) ? "" : choice.splits.has("validation") ? "validation" : "training";
  head.append(cell("th", `epoch ${epoch}`), cell("td", both ? "validation" : only), ...(both ? [cell("td", "training")] : []));
  table.append(head);
  // of too many, those in color and those nearest to the pointer
  const first = (row) => row.variant === highlighted || choice.variants.has(row.variant);
  const others = rows.filter((row) => !first(row)).sort((a, b) => Math.abs(a.mean - value) - Math.abs(b.mean - value));
  const kept = new Set([...rows.filter(first), ...others].slice(0, MOST_ROWS));
  for (const row of rows.filter((one) => kept.has(one))) {
    const line = document.createElement("tr"), chip = nameOf(row.variant), name = cell("th", "");
    const swatch = chip.querySelector(".swatch").cloneNode();
    if (!first(row)) swatch.style.setProperty("--c", "var(--crowd)");
    name.append(swatch, document.createTextNode(chip.textContent.trim()));
    line.append(name, cell("td", amountOf(id, row.mean)), ...(both ? [cell("td", amountOf(id, row.train))] : []));
    line.className = row.variant === highlighted ? "pointed" : "";
    table.append(line);
  }
  const parts = [table], one = rows.find((row) => row.variant === highlighted);
  if (kept.size < rows.length) parts.push(cell("p", `and ${rows.length - kept.size} more`));
  if (one && one.n > 1) {
    parts.push(cell("p", `${nameOf(one.variant).textContent.trim()}: ${amountOf(id, one.low)} to ${amountOf(id, one.high)} over ${one.n} runs`));
  }
  return parts;
};

const watchPointer = (chart, place) => {
  const rule = document.createElement("div"), box = document.createElement("div");
  rule.className = "cross";
  box.className = "tip";
  for (const element of [rule, box]) {
    element.hidden = true;
    element.setAttribute("aria-hidden", "true"); // the tables have the numbers
    place.append(element);
  }
  const hide = () => {
    rule.hidden = box.hidden = true;
    highlight(null);
  };
  const show = (event) => {
    const view = Bokeh.index.get_by_id(chart.id);
    if (!view || !choice) return;
    const { left, top } = view.el.getBoundingClientRect(), { frame } = view, { bbox } = frame;
    const x = event.clientX - left, y = event.clientY - top;
    if (x < bbox.left - 4 || x > bbox.right + 4 || y < bbox.top || y > bbox.bottom) return hide();
    const { start, end } = chart.x_range;
    const epoch = Math.min(Math.floor(end), Math.max(Math.ceil(start), Math.round(frame.x_scale.invert(x))));
    const rows = valuesAt(chart, epoch);
    if (!rows.length) return hide();
    const far = (value) => (value === undefined ? Infinity : Math.abs(frame.y_scale.compute(value) - y));
    const distance = (row) => Math.min(far(row.mean), choice.variants.has(row.variant) ? far(row.train) : Infinity);
    const nearest = rows.reduce((best, row) => (distance(row) < distance(best) ? row : best));
    highlight(distance(nearest) < NEAR ? nearest.variant : null);
    const at = frame.x_scale.compute(epoch), outer = place.getBoundingClientRect();
    rule.hidden = box.hidden = false;
    Object.assign(rule.style, { left: `${at + left - outer.left}px`, top: `${bbox.top + top - outer.top}px`, height: `${bbox.height}px` });
    box.replaceChildren(...tableOf(place, epoch, rows, frame.y_scale.invert(y)));
    const { offsetWidth: width, offsetHeight: height } = box, room = outer.width;
    const right = at + left - outer.left + 14, leftward = at + left - outer.left - 14 - width;
    const across = right + width <= room || leftward < 0 ? Math.min(right, Math.max(0, room - width)) : leftward;
    Object.assign(box.style, { left: `${across}px`, top: `${Math.max(0, Math.min(y - height / 2, bbox.bottom - height))}px` });
  };
  let waiting = null;
  place.addEventListener("pointermove", (event) => {
    if (!waiting) requestAnimationFrame(() => { const latest = waiting; waiting = null; if (latest) show(latest); });
    waiting = event;
  });
  place.addEventListener("pointerleave", () => { waiting = null; hide(); });
};
