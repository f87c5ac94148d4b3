"use strict";
// Charts, by Observable Plot. Colours are the page's own, so that dark mode and print need no more.
(() => {
  const HB = (window.HB ||= {});
  const { html, useEffect, useRef } = htmPreact;
  const INK = "var(--ink)";
  const SOFT = "var(--soft)";
  const ACCENT = "var(--accent)";

  // A figure that draws itself anew when its width changes.
  HB.Chart = ({ draw, label, children, deps = [] }) => {
    const place = useRef();
    useEffect(() => {
      const paint = () => {
        const width = Math.floor(place.current.getBoundingClientRect().width);
        if (width < 40) return;
        const svg = draw(width);
        for (const link of svg.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
        place.current.replaceChildren(svg);
      };
      const observer = new ResizeObserver(paint);
      observer.observe(place.current);
      return () => observer.disconnect();
    }, deps);
    // The words tell what the drawing shows; the table has the links.
    return html`<figure class="chart"><div aria-hidden="true" ref=${place}></div><p class="hidden">${label}</p><figcaption>${children}</figcaption></figure>`;
  };

  const point = (judge, slice, along) => {
    const [value, low, high] = HB.main(judge, slice);
    return { name: HB.title(judge), value, low, high, along, judge };
  };

  // Names beside their points, in the first of six places that is free of other names and of bars;
  // the first of points come first, and a name for which there is no room is left out.
  const named = (points, width, height, scale) => {
    const taken = points.map((each) => {
      const [x, , top, bottom] = scale(each);
      return [x - 6, top - 3, x + 6, bottom + 3];
    });
    const free = (box) => box[0] >= 44 && box[2] <= width && box[1] >= 0 && box[3] <= height - 36 && taken.every(([a, b, c, d]) => box[2] <= a || box[0] >= c || box[3] <= b || box[1] >= d);
    return points.flatMap((each) => {
      const [x, y, top, bottom] = scale(each);
      const label = each.name.length > 26 ? `${each.name.slice(0, 25)}…` : each.name;
      const wide = 6.8 * label.length;
      const spots = [["start", 8, -9], ["end", -8, -9], ["start", 8, 11], ["end", -8, 11], ["middle", 0, top - y - 12], ["middle", 0, bottom - y + 12]];
      for (const [textAnchor, dx, dy] of spots) {
        const left = x + dx - wide * { start: 0, middle: 0.5, end: 1 }[textAnchor];
        const box = [left, y + dy - 8, left + wide, y + dy + 8];
        if (free(box)) return taken.push(box) && [{ ...each, label, textAnchor, dx, dy }];
      }
      return [];
    });
  };

  // 1, 2 and 5 of each power of ten that fit, or the powers alone where there is little room.
  const ticks = ([least, most], room) => {
    const powers = d3.range(Math.floor(Math.log10(least)), Math.ceil(Math.log10(most)) + 1);
    const inside = (steps) => powers.flatMap((p) => steps.map((s) => s * 10 ** p)).filter((t) => t >= least && t <= most);
    return [[1, 2, 5], [1, 3], [1]].map(inside).find((found) => found.length <= room / 62) || inside([1]).slice(0, 3);
  };

  // Accuracy against what it takes (cost, seconds), on a log scale; the steps are the best for less.
  HB.Tradeoff = ({ board, entries, slice, along, label, write, title }) => {
    const points = entries.map(({ judge }) => point(judge, slice, along(judge))).filter((p) => p.along > 0 && p.value != null);
    if (points.length < 2) return null;
    const draw = (width) => {
      const height = 320;
      const [least, most] = d3.extent(points, (p) => p.along);
      const domain = [least / 1.6, most * 1.9];
      const low = Math.max(0, d3.min(points, (p) => p.low ?? p.value) - 0.03);
      const high = Math.min(1, d3.max(points, (p) => p.high ?? p.value) + 0.03);
      const px = d3.scaleLog(domain, [52, width - 16]);
      const py = d3.scaleLinear([low, high], [height - 42, 16]);
      let best = -1;
      const front = d3.sort(points, (p) => p.along, (p) => -p.value).filter((p) => p.value > best && ((best = p.value), true));
      const labels = named(d3.sort(points, (p) => !front.includes(p), (p) => -p.value), width, height, (p) => [px(p.along), py(p.value), py(p.high ?? p.value), py(p.low ?? p.value)]);
      const text = { x: "along", y: "value", text: "label", fill: INK, fontSize: 12, stroke: "var(--card)", strokeWidth: 4 };
      return Plot.plot({
        width, height, marginLeft: 52, marginBottom: 42, marginTop: 16, marginRight: 16,
        x: { type: "log", domain, axis: null },
        y: { domain: [low, high], label: "↑ Accuracy, %", tickFormat: (v) => HB.pc(v, 0), grid: true, ticks: 6 },
        marks: [
          Plot.axisX(ticks(domain, width), { text: write, label: `${label} →`, labelAnchor: "right" }),
          Plot.line(front, { x: "along", y: "value", curve: "step-after", stroke: ACCENT, strokeOpacity: 0.35, strokeDasharray: "4 3" }),
          Plot.ruleX(points.filter((p) => p.low != null), { x: "along", y1: "low", y2: "high", stroke: ACCENT, strokeOpacity: 0.35, strokeWidth: 5, strokeLinecap: "round" }),
          Plot.dot(points, { x: "along", y: "value", r: 4.5, fill: ACCENT, stroke: "var(--card)", strokeWidth: 1.5, href: (p) => HB.href(["board", board.id, "judge", p.judge.slug]), title: (p) => `${p.name}: ${HB.pc(p.value)} % at ${write(p.along)}` }),
          ...labels.map(({ textAnchor, dx, dy, ...each }) => Plot.text([each], { ...text, textAnchor, dx, dy })),
        ],
      });
    };
    return html`<${HB.Chart} draw=${draw} deps=${[points.map((p) => p.name + p.value + p.along).join()]} label=${`${title}: ${points.map((p) => `${p.name} ${HB.pc(p.value)} % at ${write(p.along)}`).join(", ")}.`}>
      <strong>${title}.</strong> Bars are 95 % intervals; the dashed steps join the judges that none beats for less.</${HB.Chart}>`;
  };

  // Right, wrong and unread, of all rows.
  HB.Outcomes = ({ entries, slice }) => {
    const shown = entries.slice(0, 24);
    const parts = shown.flatMap(({ judge }) => {
      const scores = judge.slices[slice];
      if (!scores?.acc) return [];
      const unread = scores.unscored / scores.n;
      return [["right", scores.acc[0]], ["wrong", 1 - scores.acc[0] - unread], ["unreadable", unread]].map(([what, share]) => ({ name: HB.title(judge), what, share }));
    });
    const draw = (width) =>
      Plot.plot({
        width, height: 44 + 26 * shown.length, marginLeft: Math.min(190, width * 0.38), marginTop: 8, marginBottom: 34,
        x: { label: "% of rows", tickFormat: (v) => HB.pc(v, 0), domain: [0, 1] },
        y: { label: null, domain: shown.map(({ judge }) => HB.title(judge)), tickSize: 0, tickFormat: (t) => (t.length > 26 ? `${t.slice(0, 25)}…` : t) },
        color: { domain: ["right", "wrong", "unreadable"], range: ["var(--right)", "var(--wrong)", "var(--unread)"] },
        marks: [Plot.barX(parts, { x: "share", y: "name", fill: "what", insetTop: 3, insetBottom: 3, order: ["right", "wrong", "unreadable"], title: (p) => `${p.name}: ${HB.pc(p.share)} % ${p.what}` })],
      });
    return html`<${HB.Chart} draw=${draw} deps=${[parts.map((p) => p.name + p.share).join()]} label=${shown.map(({ judge }) => `${HB.title(judge)}: ${HB.pc(judge.slices[slice]?.acc?.[0])} % right, ${judge.slices[slice]?.unscored} unreadable`).join("; ")}>
      <strong>What became of every row.</strong> <span class="key right">right</span> <span class="key wrong">wrong</span> <span class="key unread">unreadable</span>${entries.length > shown.length && ` The first ${shown.length} of ${entries.length} judges.`}</${HB.Chart}>`;
  };

  // Pair accuracy, with its interval: both twins judged right.
  HB.Pairs = ({ entries, slice }) => {
    const given = entries.filter(({ judge }) => judge.slices[slice]?.pair);
    const points = given.slice(0, 24).map(({ judge }) => {
      const [share, low, high] = judge.slices[slice].pair;
      return { name: HB.title(judge), value: share, low, high };
    });
    if (!points.length) return null;
    const draw = (width) =>
      Plot.plot({
        width, height: 44 + 26 * points.length, marginLeft: Math.min(190, width * 0.38), marginTop: 8, marginBottom: 34,
        x: { label: "% of pairs", tickFormat: (v) => HB.pc(v, 0), domain: [0, 1], grid: true },
        y: { label: null, domain: points.map((p) => p.name), tickSize: 0, tickFormat: (t) => (t.length > 26 ? `${t.slice(0, 25)}…` : t) },
        marks: [
          Plot.ruleX([0.25], { stroke: SOFT, strokeDasharray: "3 3" }),
          Plot.ruleY(points.filter((p) => p.low != null), { y: "name", x1: "low", x2: "high", stroke: ACCENT, strokeOpacity: 0.35, strokeWidth: 6, strokeLinecap: "round" }),
          Plot.dot(points, { x: "value", y: "name", r: 4, fill: ACCENT }),
        ],
      });
    return html`<${HB.Chart} draw=${draw} deps=${[points.map((p) => p.name + p.value).join()]} label=${points.map((p) => `${p.name}: ${HB.pc(p.value)} % of pairs`).join("; ")}>
      <strong>Pair accuracy.</strong> Both answers to one question judged right. A coin gets 25 % (dashed), always the same verdict none.</${HB.Chart}>`;
  };

  // How often rows of a stated P(FAIL) are FAIL. bins: {mean, rate, n}.
  HB.Reliability = ({ bins, name, small }) => {
    const filled = bins.filter((bin) => bin.n > 0 && bin.mean != null && bin.rate != null);
    if (!filled.length) return null;
    const draw = (width) => {
      const side = Math.min(width, small ? 230 : 380);
      return Plot.plot({
        width: side, height: side + 14, margin: 12, marginTop: 28, marginLeft: 40, marginBottom: 38,
        x: { domain: [0, 1], label: "stated P(FAIL) →", ticks: 5 },
        y: { domain: [0, 1], label: "↑ share that is FAIL", ticks: 5, grid: true },
        r: { range: [0, small ? 8 : 12] },
        marks: [
          Plot.line([[0, 0], [1, 1]], { stroke: SOFT, strokeDasharray: "4 3" }),
          Plot.line(filled, { x: "mean", y: "rate", stroke: ACCENT, strokeOpacity: 0.45 }),
          Plot.dot(filled, { x: "mean", y: "rate", r: "n", fill: ACCENT, fillOpacity: 0.8, title: (bin) => `${bin.n} rows: stated ${bin.mean.toFixed(2)}, FAIL ${HB.pc(bin.rate)} %` }),
        ],
      });
    };
    const told = filled.map((bin) => `stated ${bin.mean.toFixed(2)}, FAIL ${HB.pc(bin.rate, 0)} % of ${bin.n}`).join("; ");
    return html`<${HB.Chart} draw=${draw} deps=${[name, told]} label=${`Reliability of ${name}: ${told}.`}>${small ? html`<strong>${name}</strong>` : html`<strong>Reliability.</strong> On the dashed line, what the judge states is what is so. A dot's area is its number of rows.`}</${HB.Chart}>`;
  };

  // Error among the rows kept, as the least certain are put aside. points: {coverage, risk}.
  HB.Risk = ({ points, name }) => {
    const draw = (width) =>
      Plot.plot({
        width: Math.min(width, 380), height: Math.min(width, 380) + 14, margin: 12, marginTop: 28, marginLeft: 46, marginBottom: 38,
        x: { domain: [0, 1], label: "share of rows kept →", tickFormat: (v) => HB.pc(v, 0) },
        y: { label: "↑ % wrong among them", tickFormat: (v) => HB.pc(v, 0), grid: true, zero: true },
        marks: [Plot.areaY(points, { x: "coverage", y: "risk", fill: ACCENT, fillOpacity: 0.12 }), Plot.line(points, { x: "coverage", y: "risk", stroke: ACCENT, strokeWidth: 2 }), Plot.ruleY([0], { stroke: SOFT })],
      });
    return html`<${HB.Chart} draw=${draw} deps=${[name]} label=${`Risk and coverage of ${name}: ${HB.pc(points.at(-1).risk)} % wrong among all rows kept.`}><strong>Risk and coverage.</strong> The share of wrong verdicts among the rows the judge is surest of.</${HB.Chart}>`;
  };
})();
