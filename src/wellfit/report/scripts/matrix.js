// A confusion matrix of any variant, or the difference of two; a cell shows the images in it.
const pictures = read("mistakes-data"); // null where the data are no images

const picture = (place) => {
  const [columns, rows] = pictures.sheet;
  const at = (index, of) => `${(100 * index) / Math.max(1, of - 1)}%`;
  const shown = make("span", { class: "picture from-mistakes", "aria-hidden": "true" });
  shown.style.backgroundPosition = `${at(place % columns, columns)} ${at(Math.floor(place / columns), rows)}`;
  return shown;
};
const tile = (place, variant, classes, predicted, percent, wrong) => {
  const runs = pictures.runs[variant];
  return make(
    "li", {}, picture(place),
    make("b", { text: classes[pictures.labels[place]] }),
    make("span", { text: predicted < 0 ? "recognized" : `taken for ${classes[predicted]}${percent ? `, ${percent}\u00a0%` : ""}` }),
    make("small", { text: `${wrong} of ${runs} runs wrong` }),
  );
};

const matrix = read("matrix-data");
if (matrix) {
  const FIRST = 12; // pictures of a cell that are shown at once
  const { classes, variants } = matrix;
  const size = classes.length;
  const table = $("matrix-table"), panel = $("cell");
  const chosen = { variant: 0, against: -1, cell: null, most: FIRST };
  const shares = (v) => v.counts.map((row) => {
    const total = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (total ? (100 * count) / total : 0));
  });
  const signed = (x) => `${x > 0 ? "+" : ""}${x.toFixed(1)}`.replace("-", "−");
  const clean = (x) => (Math.abs(x) < 0.05 ? 0 : x);

  // What a cell shows, how strongly it is tinted, of which kind it is, and all of it in words.
  const cellOf = (true_, predicted) => {
    const mine = variants[chosen.variant], share = shares(mine)[true_][predicted];
    const named = true_ === predicted ? `${classes[true_]} recognized` : `${classes[true_]} taken for ${classes[predicted]}`;
    if (chosen.against < 0) {
      const count = mine.counts[true_][predicted];
      const text = count === 0 ? "" : share <= 0.5 ? "< 1" : share.toFixed(0);
      const full = `${named}: ${share.toFixed(2)}\u00a0% of its class, ${count.toLocaleString("en")} predictions`;
      return { text, strength: Math.round(10 * Math.sqrt(share)), right: true_ === predicted, full };
    }
    const gain = share - shares(variants[chosen.against])[true_][predicted];
    const bounds = chosen.against === 0 ? mine.bounds : null;
    const low = bounds?.[0][true_][predicted], high = bounds?.[1][true_][predicted];
    const known = low !== undefined && low !== null;
    const open = known && low <= 0 && high >= 0;
    const between = known ? ` [${signed(low)}, ${signed(high)}]` : "";
    const good = (gain > 0) === (true_ === predicted); // more right, or fewer mistakes
    const text = clean(gain) === 0 ? "" : signed(gain);
    const strength = open || text === "" ? 0 : Math.min(100, Math.round(22 * Math.sqrt(Math.abs(gain))));
    return { text, strength, right: good, open, full: `${named}: ${signed(gain)} points${between}` };
  };

  const worst = () => {
    const found = [];
    variants[chosen.variant].counts.forEach((row, t) => row.forEach((count, p) => t !== p && count && found.push([count, t, p])));
    return found.sort((a, b) => b[0] - a[0]).slice(0, 5);
  };

  const showCell = () => {
    const list = worst().map(([count, t, p]) => make("li", {}, make("button", {
      type: "button", class: "plain", "data-cell": `${t},${p}`, text: `${classes[t]} taken for ${classes[p]}: ${count.toLocaleString("en")}\u00a0times`,
    })));
    const mistakes = list.length ? [make("h3", { text: "Most frequent mistakes" }), make("ol", {}, ...list)] : [make("p", { text: "No mistake was made." })];
    if (!chosen.cell) return panel.replaceChildren(...mistakes);
    const [t, p] = chosen.cell;
    const heading = make("h3", { text: t === p ? `${classes[t]}, recognized` : `${classes[t]} taken for ${classes[p]}` });
    const said = cellOf(t, p).full;
    const parts = [heading, make("p", { text: `${variants[chosen.variant].name}: ${said.slice(said.indexOf(": ") + 2)}.` })];
    if (pictures && t !== p) {
      const v = pictures.variants.indexOf(variants[chosen.variant].name);
      const votes = new Map(); // picture -> runs
      const further = pictures.further.filter((entry) => entry[0] === v);
      pictures.labels.forEach((label, i) => {
        if (label !== t || pictures.predicted[v][i] !== p) return;
        const others = further.reduce((sum, [, j, , n]) => sum + (j === i ? n : 0), 0);
        votes.set(i, pictures.wrong[v][i] - others);
      });
      for (const [, i, k, n] of further) if (k === p && pictures.labels[i] === t) votes.set(i, n);
      const found = [...votes].sort((a, b) => b[1] - a[1]);
      const runs = pictures.runs[v];
      parts.push(make("p", { text: found.length ? `${found.length} of these images; first those that most runs agree on, with the mean probability.` : "None of these images was kept." }));
      parts.push(make("ul", { class: "gallery" }, ...found.slice(0, chosen.most).map(([i, n]) => {
        const percent = pictures.predicted[v][i] === p ? `, ${pictures.percent[v][i]}\u00a0%` : "";
        return make("li", {}, picture(i), make("small", { text: `${n} of ${runs} ${runs === 1 ? "run" : "runs"}${percent}` }));
      })));
      if (found.length > chosen.most) parts.push(make("button", { type: "button", id: "cell-more", text: `Show all ${found.length}` }));
    }
    return panel.replaceChildren(...mistakes, ...parts);
  };

  const draw = () => {
    const mine = variants[chosen.variant], other = variants[chosen.against];
    $("matrix-caption").textContent = other
      ? `${mine.name} minus ${other.name}, in points of the true class (rows) by predicted class (columns). Blue is better, orange worse${chosen.against === 0 && mine.bounds ? "; gray: its 95 % interval holds zero" : ""}.`
      : `Percent of every true class (rows) by predicted class (columns), over ${mine.runs} ${mine.runs === 1 ? "run" : "runs"}.`;
    const head = make("tr", {}, make("th", { scope: "col", class: "corner", text: "true class" }),
      ...classes.map((name) => make("th", { scope: "col" }, make("span", { text: name }))));
    const rows = classes.map((name, t) => make("tr", {}, make("th", { scope: "row", text: name }),
      ...classes.map((_, p) => {
        const { text, strength, right, open, full } = cellOf(t, p);
        const pressed = chosen.cell && chosen.cell[0] === t && chosen.cell[1] === p;
        const button = make("button", { type: "button", "aria-label": text ? `${text}: ${full}` : full, title: full, "aria-pressed": pressed ? "true" : "false", "data-cell": `${t},${p}`, tabindex: -1, text });
        const cell = make("td", { class: `${right ? "right" : ""} ${open ? "open" : ""}`.trim() || null }, button);
        cell.style.setProperty("--p", strength);
        return cell;
      })));
    const [t, p] = chosen.cell ?? [0, 0];
    table.tHead?.remove();
    for (const body of [...table.tBodies]) body.remove();
    table.append(make("thead", {}, head), make("tbody", {}, ...rows));
    const entry = table.querySelector(`[data-cell="${t},${p}"]`);
    entry.tabIndex = 0; // one stop of the tab key; arrows move within
    showCell();
  };

  for (const place of [table, panel]) {
    place.addEventListener("click", (event) => {
      if (event.target.id === "cell-more") {
        chosen.most = Infinity;
        showCell();
      }
      const cell = event.target.closest("button[data-cell]")?.dataset.cell;
      if (!cell) return;
      chosen.most = FIRST;
      chosen.cell = cell.split(",").map(Number);
      draw();
      table.querySelector(`[data-cell="${cell}"]`).focus({ preventScroll: true });
    });
  }
  table.addEventListener("keydown", (event) => {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const from = event.target.dataset?.cell?.split(",").map(Number);
    if (!way || !from) return;
    event.preventDefault();
    const to = from.map((at, i) => Math.min(size - 1, Math.max(0, at + way[i])));
    const next = table.querySelector(`[data-cell="${to}"]`);
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  options($("matrix-variant"), variants.map((v, i) => [i, v.name]), 0);
  options($("matrix-against"), [[-1, "nothing"], ...variants.map((v, i) => [i, v.name])], -1);
  chosen.cell = worst()[0]?.slice(1) ?? null;
  $("matrix-variant").addEventListener("change", (event) => { chosen.variant = Number(event.target.value); draw(); });
  $("matrix-against").addEventListener("change", (event) => { chosen.against = Number(event.target.value); draw(); });
  draw();
}
