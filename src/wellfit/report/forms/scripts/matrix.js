// A confusion matrix of any variant, or the difference of two; a cell shows the images in it.
const pictures = read("mistakes-data"); // null if the data are not images

const counted = (number, noun) => `${number.toLocaleString("en")}\u00a0${noun}${number === 1 ? "" : "s"}`;
const picture = (place) => {
  const [columns, rows] = pictures.sheet;
  const at = (index, of) => `${(100 * index) / Math.max(1, of - 1)}%`;
  const shown = make("span", { class: "picture from-mistakes", "aria-hidden": "true" });
  shown.style.backgroundPosition = `${at(place % columns, columns)} ${at(Math.floor(place / columns), rows)}`;
  return shown;
};
// The same as a button that opens it larger, with its row and what every variant makes of it.
const enlargeable = (place) => {
  const [row, label] = [pictures.rows[place].toLocaleString("en"), matrix.classes[pictures.labels[place]]];
  const button = make("button", { type: "button", class: "enlarge", "aria-label": `Enlarge test row ${row}, ${label}` }, picture(place));
  button.addEventListener("click", () => enlarge(place, row, label));
  return button;
};
const enlarge = (place, row, label) => {
  const lines = pictures.variants.slice(0, -1).map((name, v) => {
    const [predicted, percent, agree, wrong] = ["predicted", "percent", "agree", "wrong"].map((key) => pictures[key][v][place]);
    const text = predicted < 0 ? "correct in every run" : `${matrix.classes[predicted]}, ${percent}\u00a0% (${agreement(agree, wrong, runsOf(v, place))})`;
    return make("div", {}, make("dt", { text: name }), make("dd", { text }));
  });
  const close = make("button", { type: "button", text: "Close", autofocus: true });
  const dialog = make("dialog", { class: "enlarged", "aria-label": `Test row ${row}` }, picture(place),
    make("div", {}, make("h3", { text: `Test row ${row}, true class ${label}` }), make("dl", { tabindex: 0, "aria-label": "Predictions" }, ...lines), close));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
};
// How many runs predicted the class that is shown, and how many were wrong at all.
const agreement = (agree, wrong, runs) => {
  if (!wrong) return "no run is wrong";
  if (runs === 1) return "the only run";
  if (agree === runs) return `all ${runs} runs agree`;
  const text = `${agree} of ${runs} runs${agree > 1 ? " agree" : ""}`;
  return agree === wrong ? text : `${text}, ${wrong} are wrong`;
};
const runsOf = (variant, place) => [pictures.runs[variant]].flat()[Array.isArray(pictures.runs[variant]) ? place : 0];
const tile = (place, variant, classes) => {
  const [predicted, percent, agree, wrong] = ["predicted", "percent", "agree", "wrong"].map((key) => pictures[key][variant][place]);
  return make(
    "li", {}, enlargeable(place),
    make("b", { text: classes[pictures.labels[place]] }),
    make("span", { text: predicted < 0 ? "correct" : `classified as ${classes[predicted]}, ${percent}\u00a0%` }),
    make("small", { text: agreement(agree, wrong, runsOf(variant, place)) }),
  );
};

const matrix = read("matrix-data");
if (matrix) {
  const FIRST = 5; // images of a cell that are shown at once
  const MOST_DRAWN = 30; // of more than a hundred classes
  const { classes, variants } = matrix;
  const size = classes.length;
  const table = $("matrix-table"), panel = $("cell");
  const chosen = { variant: 0, against: -1, cell: null, most: FIRST };
  const signed = (x) => {
    const text = Math.abs(x).toFixed(1);
    return text === "0.0" ? text : `${x > 0 ? "+" : "−"}${text}`;
  };

  // Of many classes, rows hold only what is not zero, and the classes with the most mistakes are drawn.
  const full = new Map();
  const countsOf = (v) => {
    if (!matrix.sparse) return variants[v].counts;
    const dense = (row) => {
      const counts = new Array(size).fill(0);
      for (let at = 0; at < row.length; at += 2) counts[row[at]] = row[at + 1];
      return counts;
    };
    if (!full.has(v)) {
      if (full.size > 2) full.clear(); // a thousand classes make a million numbers
      full.set(v, variants[v].counts.map(dense));
    }
    return full.get(v);
  };
  const drawn = (() => {
    const every = classes.map((_, k) => k);
    if (!matrix.sparse) return every;
    const wrong = every.map(() => 0);
    countsOf(0).forEach((row, t) => row.forEach((count, p) => { if (t !== p) { wrong[t] += count; wrong[p] += count; } }));
    return [...every].sort((a, b) => wrong[b] - wrong[a]).slice(0, MOST_DRAWN).sort((a, b) => a - b);
  })();
  const placeOf = new Map(drawn.map((k, at) => [k, at]));

  // The numbers: percent of the true class, for one variant or two, and the interval of their difference.
  const known = new Map();
  const sharesOf = (v) => {
    const share = (row) => {
      const total = row.reduce((a, b) => a + b, 0);
      return row.map((count) => (total ? (100 * count) / total : 0));
    };
    if (!known.has(v)) known.set(v, countsOf(v).map(share));
    return known.get(v);
  };
  const boundsOf = () => {
    if (chosen.against === 0) return variants[chosen.variant].bounds;
    const [low, high] = (chosen.variant === 0 && variants[chosen.against]?.bounds) || [null, null];
    const less = (rows) => rows.map((row) => row.map((x) => (x === null ? null : -x)));
    return low && [less(high), less(low)];
  };
  let now = null;
  const select = () => {
    const bounds = boundsOf();
    const some = bounds?.[0].some((row) => row.some((x) => x !== null));
    return { mine: sharesOf(chosen.variant), other: chosen.against < 0 ? null : sharesOf(chosen.against), bounds: some ? bounds : null };
  };

  // A cell: its text, the strength and kind of its tint, and a description.
  const cellOf = (true_, predicted) => {
    const share = now.mine[true_][predicted];
    const named = true_ === predicted ? `${classes[true_]} correct` : `${classes[true_]} classified as ${classes[predicted]}`;
    if (!now.other) {
      const count = countsOf(chosen.variant)[true_][predicted];
      const text = count === 0 ? "" : share <= 0.5 ? "< 1" : share.toFixed(0);
      const full = `${named}: ${share.toFixed(2)}\u00a0% of its class, ${counted(count, "prediction")}`;
      return { text, strength: Math.round(10 * Math.sqrt(share)), right: true_ === predicted, full };
    }
    const gain = share - now.other[true_][predicted];
    const low = now.bounds?.[0][true_][predicted] ?? null, high = now.bounds?.[1][true_][predicted] ?? null;
    const open = low !== null && low <= 0 && high >= 0;
    const between = low === null ? ", no interval" : ` [${signed(low)}, ${signed(high)}]`;
    const more = (gain > 0) === (true_ === predicted); // more correct, or fewer mistakes
    const text = signed(gain) === "0.0" ? "" : signed(gain);
    const strength = open || text === "" ? 0 : Math.min(100, Math.round(22 * Math.sqrt(Math.abs(gain))));
    return { text, strength, right: more, open, full: `${named}: ${signed(gain)} points${between}` };
  };

  const worst = () => {
    const cells = [];
    countsOf(chosen.variant).forEach((row, t) => row.forEach((count, p) => t !== p && count && cells.push([count, t, p])));
    return cells.sort((a, b) => b[0] - a[0]).slice(0, 5);
  };

  // The images that runs of the variant classified like this, those with the most agreement first: image, runs.
  const picturesOf = (v, t, p) => {
    const images = pictures.labels.map((label, i) => [i, pictures.agree[v][i], true])
      .filter(([i]) => pictures.labels[i] === t && pictures.predicted[v][i] === p);
    for (const [w, i, k, n] of pictures.further) if (w === v && k === p && pictures.labels[i] === t) images.push([i, n, false]);
    return images.sort((a, b) => b[1] - a[1]);
  };
  const showPictures = (t, p) => {
    const v = pictures.variants.indexOf(variants[chosen.variant].name);
    if (t === p) return [make("p", { text: "Only misclassified images are kept." })];
    const matches = picturesOf(v, t, p), images = pictures.cells[v][`${t},${p}`] ?? 0;
    if (!matches.length && !countsOf(chosen.variant)[t][p]) return [];
    const main = matches.filter(([, , most]) => most).length, others = matches.length - main;
    const here = main === images ? "" : `; this page shows ${main ? main.toLocaleString("en") : "none"} of them`;
    const more = others ? `; in ${others.toLocaleString("en")} more, another wrong class is more frequent` : "";
    const text = `${images ? counted(images, "image") : "No image"} most often classified as ${classes[p]}${here}${more}.`;
    const tiles = matches.slice(0, chosen.most).map(([i, n, most]) => make("li", {}, enlargeable(i),
      ...(most ? [make("span", { text: `${pictures.percent[v][i]}\u00a0%` })] : []),
      make("small", { text: agreement(n, pictures.wrong[v][i], runsOf(v, i)) })));
    const rest = matches.length > chosen.most ? [make("button", { type: "button", id: "cell-more", text: `Show all ${matches.length.toLocaleString("en")}` })] : [];
    return [make("p", { text }), make("ul", { class: "gallery" }, ...tiles), ...rest];
  };

  const showCell = () => {
    const list = worst().map(([count, t, p]) => make("li", {}, make("button", {
      type: "button", class: "plain", "data-cell": `${t},${p}`, text: `${classes[t]} classified as ${classes[p]}: ${counted(count, "time")}`,
    })));
    const mistakes = list.length ? [make("h3", { text: "Most frequent confusions" }), make("ol", {}, ...list)] : [make("p", { text: "There are no mistakes." })];
    if (!chosen.cell) return panel.replaceChildren(...mistakes);
    const [t, p] = chosen.cell;
    const heading = make("h3", { text: t === p ? `${classes[t]}, correct` : `${classes[t]} classified as ${classes[p]}` });
    const { full } = cellOf(t, p);
    const numbers = make("p", { text: `${variants[chosen.variant].name}: ${full.slice(full.lastIndexOf(": ") + 2)}.` });
    return panel.replaceChildren(...mistakes, heading, numbers, ...(pictures ? showPictures(t, p) : []));
  };

  const caption = () => {
    const mine = variants[chosen.variant], other = variants[chosen.against];
    const which = drawn.length < size ? ` Of ${size.toLocaleString("en")} classes, the ${drawn.length} with the most mistakes.` : "";
    if (!other) return `Percent of every true class (rows) by predicted class (columns), over ${counted(mine.runs, "run")}.${which}`;
    const sure = mine === other ? "." : now.bounds ? "; gray: the 95 % interval includes zero." : ". This pair has no intervals, so any difference could be chance.";
    return `${mine.name} minus ${other.name}, in percentage points of the true class (rows) by predicted class (columns). Blue: more correct predictions or fewer mistakes; orange: the reverse${sure}${which}`;
  };

  // The table is built once: a choice changes its cells' contents, and a click at most two cells.
  const buttons = drawn.map((t) => drawn.map((p) => make("button", { type: "button", "data-cell": `${t},${p}`, "aria-pressed": "false", tabindex: -1 })));
  const at = ([t, p]) => buttons[placeOf.get(t)]?.[placeOf.get(p)]; // undefined for a class that is not drawn
  const build = () => {
    const named = (scope) => (k, at) => make("th", { scope, title: classes[k], class: at % step ? "between" : null }, make("span", { text: classes[k] }));
    const head = make("tr", {}, make("th", { scope: "col", class: "corner", text: "true class" }), ...drawn.map(named("col")));
    const rows = drawn.map((k, at) => make("tr", {}, named("row")(k, at), ...buttons[at].map((button) => make("td", {}, button))));
    table.append(make("thead", {}, head), make("tbody", {}, ...rows));
  };
  // The matrix is whole: cells are as large as the room for all of them allows. Tiny ones have no numbers.
  const shown = drawn.length, LARGE = shown <= 4 ? 88 : 46, TINY = 22, LEAST = 7; // pixels
  const step = Math.ceil(shown / 30); // tiny cells leave room for every so many names
  const resize = () => {
    const whole = $("matrix-live"), phone = innerWidth < 704;
    table.classList.remove("tiny"); // its names are narrower: the room would depend on the size before
    const beside = getComputedStyle(whole.querySelector(".beside")).gridTemplateColumns.includes(" ") ? 320 : 0;
    const slanted = table.classList.contains("short") ? 4 : 60; // the last name leans beyond its column
    const room = whole.clientWidth - beside - table.tBodies[0].rows[0].cells[0].offsetWidth - slanted;
    const cell = Math.max(phone && shown <= 30 ? 30 : LEAST, Math.min(LARGE, Math.floor(room / shown)));
    table.style.setProperty("--cell", `${cell}px`);
    table.classList.toggle("tiny", cell < TINY);
    table.classList.toggle("small", cell < 34);
  };
  const draw = () => {
    now = select();
    $("matrix-caption").textContent = caption();
    buttons.forEach((row, t) => row.forEach((button, p) => {
      const { text, strength, right, open, full } = cellOf(drawn[t], drawn[p]);
      button.textContent = text;
      button.setAttribute("aria-label", text ? `${text}: ${full}` : full);
      button.parentNode.className = `${right ? "right" : ""} ${open ? "open" : ""}`.trim();
      button.parentNode.style.setProperty("--p", strength);
    }));
    showCell();
  };
  let entry = buttons[0][0]; // the only tab stop; arrow keys move within the table
  const enter = (button) => {
    entry.tabIndex = -1;
    entry = button;
    entry.tabIndex = 0;
  };
  const choose = (cell) => {
    if (chosen.cell) at(chosen.cell)?.setAttribute("aria-pressed", "false");
    chosen.cell = cell;
    chosen.most = FIRST;
    at(cell)?.setAttribute("aria-pressed", "true");
    if (at(cell)) enter(at(cell));
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
      at(cell)?.focus({ preventScroll: true });
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
    enter(at(from.map((k, i) => drawn[Math.min(drawn.length - 1, Math.max(0, placeOf.get(k) + way[i]))])));
    entry.focus();
  });
  options($("matrix-variant"), variants.map((v, i) => [i, v.name]), 0);
  options($("matrix-against"), [[-1, "nothing"], ...variants.map((v, i) => [i, v.name])], -1);
  $("matrix-variant").addEventListener("change", (event) => { chosen.variant = Number(event.target.value); draw(); });
  $("matrix-against").addEventListener("change", (event) => { chosen.against = Number(event.target.value); draw(); });
  build();
  $("matrix-live").querySelector(".beside").classList.add(size > 40 ? "stacked" : size > 12 ? "roomy" : "plain");
  resize();
  new ResizeObserver(resize).observe($("matrix-live"));
  enter(entry);
  const most = worst()[0];
  if (most) choose(most.slice(1));
  draw();
}
