// Where a reader chooses the studies, the estimator and the interval of a set, and sees what pool.js
// gives beside the published result.
(function () {
  "use strict";
  const { pooled, tQuantile } = window.osteometa, Z = tQuantile(0.975, Infinity);
  const EFFECT = "Effect (95\u00a0% CI)";
  const words = JSON.parse(document.getElementById("explore-choices").textContent);
  function fill(node, attributes, children) {
    Object.entries(attributes || {}).forEach(([name, value]) => node.setAttribute(name, value));
    node.append(...children);
    return node;
  }
  const element = (name, attributes, ...children) =>
    fill(document.createElement(name), attributes, children);
  const drawn = (name, attributes, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

  // Numbers as measure_format.py and numbers.py write them.
  function fixed(value, decimals) {
    const text = value.toFixed(decimals);
    return Number(text) ? text.replace("-", "\u2212") : text.replace("-", "");
  }
  function shown(set, value) {
    return set.form === "percent" ? 100 * Math.expm1(value) : set.form === "ratio" ? Math.exp(value) : value;
  }
  function number(set, value) {
    const there = shown(set, value);
    return Math.abs(there) < 1e15 ? fixed(there, set.decimals) : "very large";
  }
  const percent = (set) => (set.form === "percent" ? "\u00a0%" : "");
  const limits = (set, low, high) => `${number(set, low)} to ${number(set, high)}${percent(set)}`;
  function small(value) {
    const text = value.toFixed(value > 0 ? Math.min(100, Math.max(0, 2 - Math.floor(Math.log10(value)))) : 0);
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }
  const size = (set, estimate, low, high, name) =>
    `${number(set, estimate)}${percent(set)} (${name}${limits(set, low, high)})`;
  function spread(set, found) {
    if (found.tau2 === null) { return ["one study: its own estimate, not pooled"]; }
    const interval = found.pi_low === null ? "no prediction interval"
      : `95\u00a0% prediction interval ${limits(set, found.pi_low, found.pi_high)}`;
    return [interval, `\u03c4\u00b2\u00a0${small(found.tau2)}, I\u00b2\u00a0${fixed(found.i2, 0)}\u00a0%`];
  }
  function sentence(set, found) {
    if (!found) { return "no study is left"; }
    const { estimate, ci_low: low, ci_high: high } = found;
    return [size(set, estimate, low, high, "95\u00a0% CI "), ...spread(set, found)].join("; ");
  }
  const model = (found) => (found.tau2 === null ? "" : `${words.estimators[found.method]}, `)
    + words.intervals[found.ci_method];

  // An axis on the pooled scale that holds the intervals of all studies and no difference, with ticks
  // at round values of what is shown.
  function axisOf(set) {
    const halves = set.vi.map((v) => Z * Math.sqrt(v));
    const low = Math.min(0, ...set.yi.map((y, i) => y - halves[i]));
    const high = Math.max(0, ...set.yi.map((y, i) => y + halves[i]));
    const room = 0.04 * (high - low), from = low - room, to = high + room;
    const back = { percent: (x) => Math.log1p(x / 100), ratio: Math.log, plain: (x) => x }[set.form];
    const first = shown(set, from), last = shown(set, to), raw = (last - first) / 6;
    const size = 10 ** Math.floor(Math.log10(raw));
    const step = size * [1, 2, 5, 10].find((one) => one * size >= raw), ticks = [];
    for (let i = Math.ceil(first / step); i * step <= last; i += 1) {
      if (Number.isFinite(back(i * step))) { ticks.push(i * step); }
    }
    return { at: (value) => 100 * (value - from) / (to - from), from, to, back, ticks,
      decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  }
  const share = (value) => `${value.toFixed(3)}%`;
  function line(axis, low, high, y, kind) {
    const [a, b] = [axis.at(low), axis.at(high)].map((x) => Math.min(200, Math.max(-100, x)));
    return drawn("line", { x1: share(a), x2: share(b), y1: y, y2: y, class: kind });
  }
  const strip = (...marks) => drawn("svg", { "aria-hidden": "true" }, ...marks);
  // Triangles at the edges of the plot for an interval that goes on beyond them.
  function arrows(axis, low, high) {
    const point = (x, d) => drawn("svg", { x, width: "7", height: "100%", viewBox: "0 0 7 10",
      overflow: "visible" }, drawn("path", { d, class: "mark" }));
    return [...(low < axis.from ? [point("0", "M0 5 7 1V9Z")] : []),
      ...(high > axis.to ? [point("100%", "M0 5-7 1V9Z")] : [])];
  }
  function square(axis, set, i, weight) {
    const half = Z * Math.sqrt(set.vi[i]), y = set.yi[i], low = y - half, high = y + half;
    const side = weight === null ? 5 : Math.max(3, 1.6 * Math.sqrt(Math.max(0, weight)));
    return strip(line(axis, low, high, "50%", "mark"), drawn("rect", {
      x: share(axis.at(y)), y: "50%", width: side, height: side, class: weight === null ? "left" : "mark",
      transform: `translate(${-side / 2} ${-side / 2})` }));
  }
  function diamond(axis, set, found) {
    if (!found || found.k < set.diamond_from) { return strip(); }
    const a = axis.at(found.ci_low), width = Math.max(0.3, axis.at(found.ci_high) - a);
    const marks = found.pi_low === null || found.k < set.pi_from ? []
      : [line(axis, found.pi_low, found.pi_high, "50%", "predicted")];
    const cut = found.pi_low !== null && marks.length ? [found.pi_low, found.pi_high] : [];
    return strip(...marks, drawn("svg", { x: share(a), width: share(width), height: "100%",
      viewBox: "0 0 100 20", preserveAspectRatio: "none" },
      drawn("path", { d: "M0 10 50 3 100 10 50 17Z", class: found.k < 3 ? "left" : "mark" })),
      ...arrows(axis, Math.min(found.ci_low, ...cut), Math.max(found.ci_high, ...cut)));
  }
  function ticksOf(axis) {
    const inside = axis.ticks.filter((tick) => Math.abs(axis.at(axis.back(tick)) - 50) < 47);
    const labels = inside.map((tick) => drawn("text", {
      x: share(axis.at(axis.back(tick))), y: "1.1em", "text-anchor": "middle" }, fixed(tick, axis.decimals)));
    return strip(...labels);
  }

  function select(label, options, value, id) {
    const list = element("select", { id },
      ...Object.entries(options).map(([name, text]) => element("option", { value: name }, text)));
    list.value = value;
    return { list, box: element("span", {}, element("label", { for: id }, label), " ", list) };
  }

  // One set: its table of studies, which is the forest plot, below it both results.
  function table(set, changed) {
    const axis = axisOf(set), unit = element("th", { scope: "col" }, set.title);
    const body = element("tbody"), ends = element("tbody", { class: "ends" });
    const boxes = set.yi.map(() => element("input", { type: "checkbox" }));
    const cells = boxes.map((box, i) => {
      const half = Z * Math.sqrt(set.vi[i]), weight = element("td", { class: "num", "data-label": "Weight" });
      const plot = element("td", { class: "plot" });
      box.addEventListener("change", () => {
        boxes.forEach((other, j) => { if (set.of[j] === set.of[i]) { other.checked = box.checked; } });
        changed();
      });
      body.append(element("tr", {},
        element("th", { scope: "row" }, element("label", {}, box, ` ${set.studies[set.of[i]]} `,
          element("span", { class: "unit" }, set.types[i]))),
        element("td", { class: "num nowrap", "data-label": EFFECT },
          size(set, set.yi[i], set.yi[i] - half, set.yi[i] + half, "")),
        weight, plot));
      return { weight, plot };
    });
    function result(name, found, kind) {
      const chosen = found ? `${found.k} of ${set.studies.length} studies, ${model(found)}` : "";
      const text = found ? size(set, found.estimate, found.ci_low, found.ci_high, "") : "no study is left";
      const more = found ? spread(set, found) : [];
      return element("tr", { class: kind },
        element("th", { scope: "row" }, name, element("span", { class: "unit block" }, chosen)),
        element("td", { class: "num", colspan: "2", "data-label": EFFECT }, text,
          ...more.map((part) => element("span", { class: "unit block nowrap" }, part))),
        element("td", { class: "plot" }, diamond(axis, set, found)));
    }
    function show(found) {
      cells.forEach(({ weight, plot }, i) => {
        const own = found ? found.weights[i] : null;
        weight.textContent = own === null ? "" : `${fixed(own, 1)}\u00a0%`;
        plot.replaceChildren(square(axis, set, i, own));
        plot.closest("tr").className = own === null ? "out" : "";
      });
      ends.replaceChildren(result("Published", set.published, "published"),
        result("With your choices", found, "chosen"),
        element("tr", {}, element("td", { colspan: "3" }), element("td", { class: "plot" }, ticksOf(axis))));
    }
    const head = element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Study"),
      element("th", { scope: "col", class: "num" }, EFFECT),
      element("th", { scope: "col", class: "num" }, "Weight"), unit));
    return { boxes, show, node: element("table", { class: "stack", style: `--zero: ${share(axis.at(0))}` }, head, body, ends) };
  }

  function build(box, number) {
    const sets = JSON.parse(box.querySelector("script").textContent), place = element("div");
    const measures = Object.fromEntries(sets.map((set, i) => [i, set.title]));
    const measure = select("Effect measure", measures, "0", `explore-${number}-measure`);
    const method = select("Estimator of \u03c4\u00b2", words.estimators, "", `explore-${number}-method`);
    const interval = select("Interval", words.intervals, "", `explore-${number}-interval`);
    const reset = element("button", { type: "button" }, "Reset to the published choices");
    const status = element("p", { role: "status", class: "sentence" });
    let set = null, shownTable = null;
    function update() {
      const chosen = set.studies.map(() => false);
      shownTable.boxes.forEach((input, i) => { chosen[set.of[i]] = input.checked; });
      const found = pooled(set, chosen, method.list.value, interval.list.value);
      shownTable.show(found);
      box.result = found;
      const kept = chosen.filter(Boolean).length;
      const same = kept === chosen.length && method.list.value === set.published.method
        && interval.list.value === set.published.ci_method;
      status.textContent = same ? `Published choices: ${sentence(set, set.published)}.`
        : `With your choices (${kept} of ${chosen.length} studies): ${sentence(set, found)}. Published: ${sentence(set, set.published)}.`;
    }
    function start() {
      set = sets[Number(measure.list.value)];
      shownTable = table(set, update);
      shownTable.boxes.forEach((input) => { input.checked = true; });
      method.list.value = set.published.method;
      interval.list.value = set.published.ci_method;
      place.replaceChildren(shownTable.node);
      update();
    }
    measure.list.addEventListener("change", start);
    reset.addEventListener("click", start);
    [method, interval].forEach(({ list }) => list.addEventListener("change", update));
    const controls = sets.length > 1 ? [measure.box, method.box, interval.box] : [method.box, interval.box];
    box.append(element("p", { class: "controls", role: "group", "aria-label": `Choices, ${box.dataset.name}` },
      ...controls, reset), status, place);
    start();
  }
  document.querySelectorAll("details.explore").forEach((box, number) => {
    box.hidden = false;
    box.addEventListener("toggle", () => build(box, number), { once: true });
  });
})();
