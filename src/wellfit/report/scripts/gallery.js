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
    ...mended.map((name, i) => [`mended-${i}`, `mended by ${name}`]),
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

  const draw = (count) => {
    const v = Number(variant.value), places = found();
    shown = Math.min(count, places.length);
    const tiles = places.slice(0, shown).map((i) =>
      tile(i, v, classes, pictures.predicted[v][i], pictures.percent[v][i], pictures.wrong[v][i]));
    $("gallery").replaceChildren(...tiles);
    const totals = pictures.totals;
    const whole = kind.value.startsWith("mended-") ? totals.mended[mended[Number(kind.value.slice(7))]] : totals[kind.value];
    const total = true_.value === "-1" && whole ? whole : places.length;
    const images = total === 1 ? "image" : "images";
    const kept = total > places.length ? `, of which ${places.length} are kept here` : "";
    const mendedBy = kind.value.startsWith("mended-") ? ` that every run of ${first} got wrong and no run of ${mended[Number(kind.value.slice(7))]}` : "";
    $("gallery-said").textContent = places.length
      ? `${shown} of ${total} ${images}${mendedBy}${kept}; what is said below each is of ${pictures.variants[v]}.`
      : "No image is of this kind.";
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
