// A confusion matrix of any variant, or the difference of two; a cell shows the images in it.
const pictures = read("mistakes-data"); // null where the data are no images

const counted = (number, noun) => `${number.toLocaleString("en")}\u00a0${noun}${number === 1 ? "" : "s"}`;
const picture = (place) => {
  const [columns, rows] = pictures.sheet;
  const at = (index, of) => `${(100 * index) / Math.max(1, of - 1)}%`;
  const shown = make("span", { class: "picture from-mistakes", "aria-hidden": "true" });
  shown.style.backgroundPosition = `${at(place % columns, columns)} ${at(Math.floor(place / columns), rows)}`;
  return shown;
};
// How many runs took a picture for the class that is shown, and how many were wrong at all.
const agreement = (agree, wrong, runs) => {
  if (!wrong) return "no run is wrong";
  if (runs === 1) return "the only run";
  const said = `${agree} of ${runs} runs${agree > 1 ? " agree" : ""}`;
  return agree === wrong ? said : `${said}, ${wrong} are wrong`;
};
const tile = (place, variant, classes) => {
  const [predicted, percent, agree, wrong] = ["predicted", "percent", "agree", "wrong"].map((key) => pictures[key][variant][place]);
  return make(
    "li", {}, picture(place),
    make("b", { text: classes[pictures.labels[place]] }),
    make("span", { text: predicted < 0 ? "recognized" : `taken for ${classes[predicted]}, ${percent}\u00a0%` }),
    make("small", { text: agreement(agree, wrong, pictures.runs[variant]) }),
  );
};

const matrix = read("matrix-data");
if (matrix) {
  const FIRST = 12; // pictures of a cell that are shown at once
  const { classes, variants } = matrix;
  const size = classes.length;
  const table = $("matrix-table"), panel = $("cell");
  const chosen = { variant: 0, against: -1, cell: null, most: FIRST };
  const signed = (x) => {
    const said = Math.abs(x).toFixed(1);
    return said === "0.0" ? said : `${x > 0 ? "+" : "−"}${said}`;
  };

  // What is drawn: shares of the true class in percent, of one variant or of two, and the interval of the difference.
  const known = new Map();
  const sharesOf = (v) => {
    const share = (row) => {
      const total = row.reduce((a, b) => a + b, 0);
      return row.map((count) => (total ? (100 * count) / total : 0));
    };
    if (!known.has(v)) known.set(v, variants[v].counts.map(share));
    return known.get(v);
  };
  const boundsOf = () => {
    if (chosen.against === 0) return variants[chosen.variant].bounds;
    const [low, high] = (chosen.variant === 0 && variants[chosen.against]?.bounds) || [null, null];
    const less = (rows) => rows.map((row) => row.map((x) => (x === null ? null : -x)));
    return low && [less(high), less(low)];
  };
  let now = null;
  const look = () => {
    const bounds = boundsOf();
    const some = bounds?.[0].some((row) => row.some((x) => x !== null));
    return { mine: sharesOf(chosen.variant), other: chosen.against < 0 ? null : sharesOf(chosen.against), bounds: some ? bounds : null };
  };

  // What a cell shows, how strongly it is tinted, of which kind it is, and all of it in words.
  const cellOf = (true_, predicted) => {
    const share = now.mine[true_][predicted];
    const named = true_ === predicted ? `${classes[true_]} recognized` : `${classes[true_]} taken for ${classes[predicted]}`;
    if (!now.other) {
      const count = variants[chosen.variant].counts[true_][predicted];
      const text = count === 0 ? "" : share <= 0.5 ? "< 1" : share.toFixed(0);
      const full = `${named}: ${share.toFixed(2)}\u00a0% of its class, ${counted(count, "prediction")}`;
      return { text, strength: Math.round(10 * Math.sqrt(share)), right: true_ === predicted, full };
    }
    const gain = share - now.other[true_][predicted];
    const low = now.bounds?.[0][true_][predicted] ?? null, high = now.bounds?.[1][true_][predicted] ?? null;
    const open = low !== null && low <= 0 && high >= 0;
    const between = low === null ? ", no interval" : ` [${signed(low)}, ${signed(high)}]`;
    const more = (gain > 0) === (true_ === predicted); // more right, or fewer mistakes
    const text = signed(gain) === "0.0" ? "" : signed(gain);
    const strength = open || text === "" ? 0 : Math.min(100, Math.round(22 * Math.sqrt(Math.abs(gain))));
    return { text, strength, right: more, open, full: `${named}: ${signed(gain)} points${between}` };
  };

  const worst = () => {
    const found = [];
    variants[chosen.variant].counts.forEach((row, t) => row.forEach((count, p) => t !== p && count && found.push([count, t, p])));
    return found.sort((a, b) => b[0] - a[0]).slice(0, 5);
  };

  // The pictures that runs of the variant took for this class, those first on which most agree: picture, runs.
  const picturesOf = (v, t, p) => {
    const found = pictures.labels.map((label, i) => [i, pictures.agree[v][i], true])
      .filter(([i]) => pictures.labels[i] === t && pictures.predicted[v][i] === p);
    for (const [w, i, k, n] of pictures.further) if (w === v && k === p && pictures.labels[i] === t) found.push([i, n, false]);
    return found.sort((a, b) => b[1] - a[1]);
  };
  const showPictures = (t, p) => {
    const v = pictures.variants.indexOf(variants[chosen.variant].name);
    if (t === p) return [make("p", { text: "Pictures are kept of mistakes only." })];
    const found = picturesOf(v, t, p), images = pictures.cells[v][`${t},${p}`] ?? 0;
    if (!found.length && !variants[chosen.variant].counts[t][p]) return [];
    const main = found.filter(([, , most]) => most).length, others = found.length - main;
    const here = main === images ? "" : main ? `, of which this page has ${main.toLocaleString("en")}` : ", of which this page has none";
    const more = others ? `; ${others.toLocaleString("en")} more ${others === 1 ? "is" : "are"} taken for it by fewer runs than for another` : "";
    const said = `${images ? counted(images, "image") : "No image"} most often taken for ${classes[p]}${here}${more}.`;
    const tiles = found.slice(0, chosen.most).map(([i, n, most]) => make("li", {}, picture(i),
      ...(most ? [make("span", { text: `${pictures.percent[v][i]}\u00a0%` })] : []),
      make("small", { text: agreement(n, pictures.wrong[v][i], pictures.runs[v]) })));
    const rest = found.length > chosen.most ? [make("button", { type: "button", id: "cell-more", text: `Show all ${found.length.toLocaleString("en")}` })] : [];
    return [make("p", { text: said }), make("ul", { class: "gallery" }, ...tiles), ...rest];
  };

  const showCell = () => {
    const list = worst().map(([count, t, p]) => make("li", {}, make("button", {
      type: "button", class: "plain", "data-cell": `${t},${p}`, text: `${classes[t]} taken for ${classes[p]}: ${counted(count, "time")}`,
    })));
    const mistakes = list.length ? [make("h3", { text: "Most frequent mistakes" }), make("ol", {}, ...list)] : [make("p", { text: "No mistake was made." })];
    if (!chosen.cell) return panel.replaceChildren(...mistakes);
    const [t, p] = chosen.cell;
    const heading = make("h3", { text: t === p ? `${classes[t]}, recognized` : `${classes[t]} taken for ${classes[p]}` });
    const said = cellOf(t, p).full;
    const told = make("p", { text: `${variants[chosen.variant].name}: ${said.slice(said.lastIndexOf(": ") + 2)}.` });
    return panel.replaceChildren(...mistakes, heading, told, ...(pictures ? showPictures(t, p) : []));
  };

  const caption = () => {
    const mine = variants[chosen.variant], other = variants[chosen.against];
    if (!other) return `Percent of every true class (rows) by predicted class (columns), over ${counted(mine.runs, "run")}.`;
    const sure = mine === other ? "." : now.bounds ? "; gray: its 95 % interval holds zero." : ". No interval is known of this pair, so any of it may be chance.";
    return `${mine.name} minus ${other.name}, in points of the true class (rows) by predicted class (columns). Blue: more right answers or fewer mistakes; orange: the reverse${sure}`;
  };

  // The table is built once; what is chosen changes what stands in it, and a click on a cell no more than two of them.
  const buttons = classes.map((_, t) => classes.map((_, p) => make("button", { type: "button", "data-cell": `${t},${p}`, "aria-pressed": "false", tabindex: -1 })));
  const at = (cell) => buttons[cell[0]][cell[1]];
  const build = () => {
    const head = make("tr", {}, make("th", { scope: "col", class: "corner", text: "true class" }),
      ...classes.map((name) => make("th", { scope: "col" }, make("span", { text: name }))));
    const rows = classes.map((name, t) => make("tr", {}, make("th", { scope: "row", text: name }), ...buttons[t].map((button) => make("td", {}, button))));
    table.append(make("thead", {}, head), make("tbody", {}, ...rows));
  };
  const draw = () => {
    now = look();
    $("matrix-caption").textContent = caption();
    buttons.forEach((row, t) => row.forEach((button, p) => {
      const { text, strength, right, open, full } = cellOf(t, p);
      button.textContent = text;
      button.setAttribute("aria-label", text ? `${text}: ${full}` : full);
      button.parentNode.className = `${right ? "right" : ""} ${open ? "open" : ""}`.trim();
      button.parentNode.style.setProperty("--p", strength);
    }));
    showCell();
  };
  let entry = buttons[0][0]; // one stop of the tab key; arrows move within
  const enter = (button) => {
    entry.tabIndex = -1;
    entry = button;
    entry.tabIndex = 0;
  };
  const choose = (cell) => {
    if (chosen.cell) at(chosen.cell).setAttribute("aria-pressed", "false");
    chosen.cell = cell;
    chosen.most = FIRST;
    at(cell).setAttribute("aria-pressed", "true");
    enter(at(cell));
  };

  for (const place of [table, panel]) {
    place.addEventListener("click", (event) => {
      if (event.target.id === "cell-more") {
        chosen.most = Infinity;
        showCell();
      }
      const cell = event.target.closest("button[data-cell]")?.dataset.cell.split(",").map(Number);
      if (!cell) return;
      choose(cell);
      showCell();
      at(cell).focus({ preventScroll: true });
    });
  }
  table.addEventListener("pointerover", ({ target }) => {
    if (target.dataset.cell) target.title = target.ariaLabel;
  });
  table.addEventListener("keydown", (event) => {
    const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const from = event.target.dataset?.cell?.split(",").map(Number);
    if (!way || !from) return;
    event.preventDefault();
    enter(at(from.map((place, i) => Math.min(size - 1, Math.max(0, place + way[i])))));
    entry.focus();
  });
  options($("matrix-variant"), variants.map((v, i) => [i, v.name]), 0);
  options($("matrix-against"), [[-1, "nothing"], ...variants.map((v, i) => [i, v.name])], -1);
  $("matrix-variant").addEventListener("change", (event) => { chosen.variant = Number(event.target.value); draw(); });
  $("matrix-against").addEventListener("change", (event) => { chosen.against = Number(event.target.value); draw(); });
  build();
  enter(entry);
  const most = worst()[0];
  if (most) choose(most.slice(1));
  draw();
}
