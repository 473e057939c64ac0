// Misclassified images by kind, variant and class.
if (pictures && matrix && $("gallery-live")) {
  const classes = matrix.classes;
  const every = pictures.variants.length - 1; // the last entry is all variants together
  const kind = $("gallery-kind"), variant = $("gallery-variant"), true_ = $("gallery-class");
  const first = pictures.variants[0];
  const correctors = Object.keys(pictures.kinds.corrected);
  const kinds = [
    ["often", "most often wrong"],
    ...(pictures.kinds.every.length ? [["every", "wrong in every run of every variant"]] : []),
    ...(pictures.kinds.flips.length ? [["flips", `decided by chance in ${first}`]] : []),
    ...correctors.map((name, i) => [`corrected-${i}`, `corrected by ${name}`]).filter((_, i) => pictures.totals.corrected[correctors[i]].some(Boolean)),
  ];
  const FIRST_TILES = 8;
  let shown = 0;

  const selected = () => {
    const v = Number(variant.value);
    const chosen = kind.value;
    let places;
    if (chosen === "often") {
      places = pictures.labels.map((_, i) => i).filter((i) => pictures.wrong[v][i] > 0);
      places.sort((a, b) => pictures.wrong[v][b] - pictures.wrong[v][a] || pictures.percent[v][b] - pictures.percent[v][a]);
    } else places = chosen.startsWith("corrected-") ? pictures.kinds.corrected[correctors[Number(chosen.slice(10))]] : pictures.kinds[chosen];
    return true_.value === "-1" ? places : places.filter((i) => pictures.labels[i] === Number(true_.value));
  };

  // How many images there are of the chosen kind, how many the page has, and how many are shown.
  const status = (v, here) => {
    const by = kind.value.startsWith("corrected-") ? correctors[Number(kind.value.slice(10))] : null;
    const { often, every: everywhere, flips, corrected } = pictures.totals;
    const [ofClass, what] = {
      often: () => [often[v], `wrong in at least one run${v === every ? "" : ` of ${pictures.variants[v]}`}`],
      every: () => [everywhere, "wrong in every run of every variant"],
      flips: () => [flips, `wrong in about half of the runs of ${first}`],
    }[kind.value]?.() ?? [corrected[by], `wrong in every run of ${first} and correct in every run of ${by}`];
    const k = Number(true_.value);
    const total = k < 0 ? ofClass.reduce((a, b) => a + b, 0) : ofClass[k];
    const images = `${counted(total, "image")}${k < 0 ? "" : ` of ${classes[k]}`} ${what}`;
    if (!total) return `No image is ${what}.`;
    if (!here) return `${images}; this page shows none of them.`;
    const kept = here < total ? `; this page has ${here.toLocaleString("en")}` : "";
    return `${shown.toLocaleString("en")} of ${images}${kept}.${v === every ? "" : ` Captions: predictions of ${pictures.variants[v]}.`}`;
  };

  const draw = (count) => {
    const v = Number(variant.value), places = selected();
    shown = Math.min(count, places.length);
    $("gallery").replaceChildren(...places.slice(0, shown).map((i) => tile(i, v, classes)));
    $("gallery-status").textContent = status(v, places.length);
    $("gallery-more").hidden = shown >= places.length;
  };

  options(kind, kinds, pictures.kinds.every.length >= 8 ? "every" : "often");
  options(variant, pictures.variants.map((name, i) => [i, name]), every);
  options(true_, [[-1, "any"], ...classes.map((name, i) => [i, name])], -1);
  kind.addEventListener("change", () => {
    if (kind.value === "flips" || kind.value.startsWith("corrected-")) variant.value = "0";
    draw(FIRST_TILES);
  });
  for (const select of [variant, true_]) select.addEventListener("change", () => draw(FIRST_TILES));
  $("gallery-more").addEventListener("click", () => draw(shown + 48));
  draw(FIRST_TILES);
}
