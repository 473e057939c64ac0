// A link opens the section that it leads to, and on paper every section is open.
{
  const unfold = (target) => {
    if (!target) return;
    for (const fold of all(":scope > details.fold", target)) fold.open = true;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };
  const named = (hash) => $(decodeURIComponent(hash.slice(1)));
  addEventListener("hashchange", () => unfold(named(location.hash)));
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) unfold(named(link.hash)); // no hashchange
  });
  if (location.hash) unfold(named(location.hash));

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = all("details:not([open])");
    for (const fold of opened) fold.open = true;
  });
  addEventListener("afterprint", () => {
    for (const fold of opened) fold.open = false;
  });
}
