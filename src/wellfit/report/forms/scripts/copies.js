// Copy a table as LaTeX or CSV, save a figure as SVG.
{
  const flash = (button, text) => {
    const before = button.dataset.text ?? (button.dataset.text = button.textContent);
    button.textContent = text;
    setTimeout(() => (button.textContent = before), 1600);
  };

  // The text of a heading or a cell, without the marks of sorted columns and what only screen readers get.
  const said = (cell, less = ".unseen") => {
    const plain = cell.cloneNode(true);
    for (const part of all(`.unseen, .why, .swatch, ${less}`, plain)) part.remove();
    return plain.textContent.replace(/\s+/g, " ").trim();
  };
  const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => [...row.cells]);
  const headings = (table) => [...table.tHead.rows[0].cells].map((cell) => said(cell));
  const isNumber = (table, column) => table.tHead.rows[0].cells[column].classList.contains("number");

  // CSV: one number a cell; brackets become two columns of their own, and full precision is kept where a cell has it.
  const quoted = (text) => {
    const inert = /^\s*[=+\-@]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
    return /[",\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
  };
  const bare = (text) => text.replaceAll("−", "-").replace(/(\d),(?=\d{3})/g, "$1").replace(/ (%|points)$/, "");
  const csvCells = (cell, bracketed) => {
    const bounds = cell.querySelector(".interval");
    const first = bare(said(cell, ".interval"));
    if (!bracketed) return [first === "–" ? "" : first];
    const ends = bare(bounds?.textContent.trim() ?? "").match(/^\[(.+), (.+)\]$/);
    return [first === "–" ? "" : first, ends?.[1] ?? "", ends?.[2] ?? ""];
  };
  const csv = (table) => {
    const rows = rowsOf(table);
    const bracketed = headings(table).map((_, column) => rows.some((row) => /^\[.+, .+\]$/.test(row[column].querySelector(".interval")?.textContent.trim() ?? "")));
    const head = headings(table).flatMap((name, column) => (bracketed[column] ? [name, `${name}, low`, `${name}, high`] : [name]));
    const body = rows.map((row) => row.flatMap((cell, column) => csvCells(cell, bracketed[column])));
    return [head, ...body].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  };

  // LaTeX for the package booktabs, every text escaped.
  const signs = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}",
    "−": "$-$", "–": "\\textendash{}", "…": "\\ldots{}", "×": "$\\times$", "±": "$\\pm$", "≤": "$\\leq$", "≥": "$\\geq$", "\u00a0": "~",
  };
  const escaped = (text) => [...text].map((sign) => signs[sign] ?? ("&%$#_{}".includes(sign) ? `\\${sign}` : sign)).join("");
  const latexRow = (cells) => {
    const row = cells.map(escaped).join(" & ");
    return `${/^[[*]/.test(row) ? "{}" : ""}${row} \\\\`;
  };
  const latex = (table) => {
    const kinds = headings(table).map((_, column) => (isNumber(table, column) ? "r" : "l")).join("");
    const long = table.tBodies[0].rows.length > 40, kind = long ? "longtable" : "tabular";
    return [
      `% \\usepackage{booktabs${long ? ",longtable" : ""}}`, `\\begin{${kind}}{${kinds}}`, "\\toprule", latexRow(headings(table)), "\\midrule",
      ...(long ? ["\\endhead"] : []), ...rowsOf(table).map((row) => latexRow(row.map((cell) => said(cell)))), "\\bottomrule", `\\end{${kind}}`, "",
    ].join("\n");
  };

  if (navigator.clipboard) {
    for (const table of all(".scroll.table > table")) {
      if (!table.tHead || !table.caption || table.matches(".confusion, .weights, .look")) continue;
      const copier = (text, name) => {
        const button = make("button", { type: "button", text: name, "aria-label": `Copy this table as ${name}: ${said(table.caption)}` });
        button.addEventListener("click", async () => {
          await navigator.clipboard.writeText(text(table));
          flash(button, "Copied");
        });
        return button;
      };
      table.parentNode.after(make("p", { class: "tools" }, make("span", { text: "Copy:" }), copier(latex, "LaTeX"), copier(csv, "CSV")));
    }
  }

  // A figure as a file of its own: rules of the page and its colors become styles of the elements.
  const styles = () => {
    const known = new Map(), root = getComputedStyle(document.documentElement);
    const plain = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => root.getPropertyValue(name).trim());
    for (const rule of [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules])) {
      const name = /^\.(g\d+)$/.exec(rule.selectorText ?? "");
      if (name) known.set(name[1], plain(rule.style.cssText));
    }
    return { known, plain };
  };
  const alone = (svg, { known, plain }) => {
    const copy = svg.cloneNode(true);
    for (const element of [copy, ...all("*", copy)]) {
      const style = [plain(element.getAttribute("style") ?? ""), ...[...element.classList].map((name) => known.get(name) ?? "")];
      element.removeAttribute("class");
      if (style.some(Boolean)) element.setAttribute("style", style.filter(Boolean).join(";"));
    }
    return copy;
  };
  const fileOf = (drawings) => {
    const found = styles(), space = "http://www.w3.org/2000/svg", GAP = 20;
    const file = document.createElementNS(space, "svg");
    let top = 0, width = 0;
    for (const drawing of drawings) {
      const box = drawing.viewBox.baseVal, part = alone(drawing, found);
      for (const [name, value] of Object.entries({ y: top, width: box.width, height: box.height })) part.setAttribute(name, value);
      file.append(part);
      top += box.height + GAP;
      width = Math.max(width, box.width);
    }
    const size = { width, height: top - GAP, viewBox: `0 0 ${width} ${top - GAP}` };
    for (const [name, value] of Object.entries(size)) file.setAttribute(name, value);
    file.setAttribute("font-family", "system-ui, 'Liberation Sans', Arial, sans-serif");
    const paper = document.createElementNS(space, "rect");
    for (const [name, value] of Object.entries({ width: "100%", height: "100%", fill: found.plain("var(--paper)") })) paper.setAttribute(name, value);
    file.prepend(paper);
    return new XMLSerializer().serializeToString(file);
  };
  // A chart as it is on the screen: Bokeh draws it as SVG, and the names at the ends of its lines are added.
  const shownChart = (figure) => all(".chart", figure).find((place) => drawnCharts[place.id] && !place.hidden);
  const chartDrawing = (place, figure) => {
    const text = Bokeh.index.get_by_id(drawnCharts[place.id].id).export("svg", false).ctx.get_serialized_svg(true);
    const svg = document.importNode(new DOMParser().parseFromString(text, "image/svg+xml").documentElement, true);
    const list = place.querySelector(".ends"), box = place.getBoundingClientRect();
    const [right, bottom] = ["width", "height"].map((side) => Number(svg.getAttribute(side)));
    const items = list ? all("li", list) : [];
    const color = (item) => {
      const sign = getComputedStyle(item.querySelector(".swatch, path"));
      return sign.getPropertyValue("--c") || sign.stroke;
    };
    const beside = (item, i) => [item, item.textContent.trim(), right, 40 + LINE * i];
    const colored = () => all("#controls input[name=variant]:checked").map((input) => input.closest(".chip"));
    const ofVariants = drawnCharts[place.id].renderers.some(({ tags }) => /^v\d+-/.test(tags[0] ?? ""));
    const names = items.length
      ? items.map((item) => [item, item.textContent.trim(), item.getBoundingClientRect().left - box.left, Number.parseFloat(item.style.top)])
      : (ofVariants ? colored() : all(".key > span", figure)).map(beside);
    for (const [item, text, x, y] of names) {
      const label = document.createElementNS(svg.namespaceURI, "text");
      for (const [name, value] of Object.entries({ x: x + 8, y, "dominant-baseline": "central", "font-size": 12 })) label.setAttribute(name, value);
      label.setAttribute("fill", color(item));
      label.textContent = text;
      svg.append(label);
    }
    const width = Math.max(right, ...names.map(([, text, x]) => x + 16 + 7.2 * text.length));
    svg.setAttribute("viewBox", `0 0 ${width} ${Math.max(bottom, ...names.map(([, , , y]) => y + LINE))}`);
    return svg;
  };
  const drawingsOf = (figure) => all("svg[role=img]", figure).filter((svg) => !svg.closest(".away, table"));
  for (const figure of all("main section figure, article.matrix")) {
    if (figure.closest(".panels") || !drawingsOf(figure).length) continue;
    const section = figure.closest("section"), button = make("button", { type: "button", text: "SVG" });
    const title = figure.querySelector("h3:not(.static h3)")?.textContent.trim() ?? "";
    button.setAttribute("aria-label", `Save as SVG: ${title || section.querySelector("h2").textContent.trim()}`);
    button.addEventListener("click", () => {
      const place = shownChart(figure), drawings = place ? [chartDrawing(place, figure)] : drawingsOf(figure);
      const address = URL.createObjectURL(new Blob([fileOf(drawings)], { type: "image/svg+xml" }));
      const name = `${section.id} ${title || (place?.id ?? "").replace("chart-", "")}`.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);
      make("a", { href: address, download: `${name}.svg` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
    figure.append(make("p", { class: "tools" }, button));
  }
}
