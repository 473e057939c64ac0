// The images that were taken for something else, by kind, variant and class.
if (pictures && matrix && $("gallery-live")) {
  const classes = matrix.classes;
  const every = pictures.variants.length - 1; // the last entry is all variants together
  const kind = $("gallery-kind"), variant = $("gallery-variant"), true_ = $("gallery-class");
  const first = pictures.variants[0];
  const mended = Object.keys(pictures.kinds.mended);
  const kinds = [
    ["often", "most often wrong"],
    ...(pictures.kinds.every.length ? [["every", "wrong in every run of every variant"]] : []),
    ...(pictures.kinds.flips.length ? [["flips", `decided by chance in ${first}`]] : []),
    ...mended.map((name, i) => [`mended-${i}`, `mended by ${name}`]).filter((_, i) => pictures.totals.mended[mended[i]].some(Boolean)),
  ];
  let shown = 0;

  const found = () => {
    const v = Number(variant.value);
    const chosen = kind.value;
    let places;
    if (chosen === "often") {
      places = pictures.labels.map((_, i) => i).filter((i) => pictures.wrong[v][i] > 0);
      places.sort((a, b) => pictures.wrong[v][b] - pictures.wrong[v][a] || pictures.percent[v][b] - pictures.percent[v][a]);
    } else places = chosen.startsWith("mended-") ? pictures.kinds.mended[mended[Number(chosen.slice(7))]] : pictures.kinds[chosen];
    return true_.value === "-1" ? places : places.filter((i) => pictures.labels[i] === Number(true_.value));
  };

  // How many images there are of what is chosen, how many of them the page has, and how many are shown.
  const said = (v, here) => {
    const by = kind.value.startsWith("mended-") ? mended[Number(kind.value.slice(7))] : null;
    const { often, every: everywhere, flips, mended: mends } = pictures.totals;
    const [ofClass, what] = {
      often: () => [often[v], `wrong in some run${v === every ? "" : ` of ${pictures.variants[v]}`}`],
      every: () => [everywhere, "wrong in every run of every variant"],
      flips: () => [flips, `that about half of the runs of ${first} get wrong`],
    }[kind.value]?.() ?? [mends[by], `that every run of ${first} got wrong and no run of ${by}`];
    const k = Number(true_.value);
    const total = k < 0 ? ofClass.reduce((a, b) => a + b, 0) : ofClass[k];
    const images = `${counted(total, "image")}${k < 0 ? "" : ` of ${classes[k]}`} ${what}`;
    if (!total) return `No image is ${what.replace(/^that/, "one that")}.`;
    if (!here) return `${images}; this page has no picture of ${total === 1 ? "it" : "them"}.`;
    const kept = here < total ? `; this page has the pictures of ${here.toLocaleString("en")}` : "";
    return `${shown.toLocaleString("en")} of ${images}${kept}. What is said below each is of ${pictures.variants[v]}.`;
  };

  const draw = (count) => {
    const v = Number(variant.value), places = found();
    shown = Math.min(count, places.length);
    $("gallery").replaceChildren(...places.slice(0, shown).map((i) => tile(i, v, classes)));
    $("gallery-said").textContent = said(v, places.length);
    $("gallery-more").hidden = shown >= places.length;
  };

  options(kind, kinds, pictures.kinds.every.length >= 8 ? "every" : "often");
  options(variant, pictures.variants.map((name, i) => [i, name]), every);
  options(true_, [[-1, "any"], ...classes.map((name, i) => [i, name])], -1);
  kind.addEventListener("change", () => {
    if (kind.value === "flips" || kind.value.startsWith("mended-")) variant.value = "0";
    draw(24);
  });
  for (const select of [variant, true_]) select.addEventListener("change", () => draw(24));
  $("gallery-more").addEventListener("click", () => draw(shown + 48));
  draw(24);
}
