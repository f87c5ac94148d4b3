"use strict";
// The ranking and the heat map of one board.
(() => {
  const HB = (window.HB ||= {});
  const { html, useMemo, useState } = htmPreact;
  const collator = new Intl.Collator(undefined, { numeric: true });

  // What the table shows: the figures of the chosen slice, macro accuracy first on the whole.
  HB.main = (judge, slice) => (slice === "all" ? judge.macro : judge.slices[slice]?.acc) || [null, null, null];

  const rate = (key) => ({
    value: (judge, slice) => judge.slices[slice]?.[key]?.[0],
    text: (judge, slice) => HB.pc(judge.slices[slice]?.[key]?.[0]),
  });

  const COLUMNS = [
    { key: "acc", label: "Accuracy", wide: true, value: (j, s) => HB.main(j, s)[0] },
    { key: "bal", label: "Balanced", hint: "Mean of the recalls of PASS and FAIL", ...rate("bal") },
    { key: "prec", label: "Precision", hint: "Of the answers judged FAIL, the share that is", ...rate("prec") },
    { key: "rec", label: "Recall", hint: "Of the hallucinated answers, the share found", ...rate("rec") },
    { key: "f1", label: "F1", hint: "Of FAIL: harmonic mean of precision and recall", ...rate("f1") },
    {
      key: "auroc", label: "AUROC", hint: "Over rows with a P(FAIL)",
      value: (j, s) => j.slices[s]?.auroc?.[0], text: (j, s) => HB.unit(j.slices[s]?.auroc?.[0]),
    },
    {
      key: "pair", label: "Pairs", hint: "Share of pairs of which both answers are judged right",
      ...rate("pair"),
    },
    {
      key: "coverage", label: "Coverage", hint: "Share of rows with a readable verdict",
      value: (j, s) => covered(j.slices[s]), text: (j, s) => HB.pc(covered(j.slices[s])),
    },
    { key: "cost", label: "$ / 1k rows", first: "ascending", value: (j) => HB.cost(j), text: (j) => HB.dollars(HB.cost(j)) },
    { key: "latency", label: "Latency", hint: "Median of a row", first: "ascending", value: (j) => j.latency, text: (j) => HB.seconds(j.latency) },
    { key: "size", label: "Size", hint: "Parameters", first: "ascending", value: (j) => j.card?.parameters_b, text: (j) => HB.size(j.card?.parameters_b) },
    { key: "open", label: "Openness", first: "ascending", value: (j) => j.card?.openness, text: (j) => HB.OPENNESS[j.card?.openness] || HB.DASH },
    { key: "license", label: "Licence", first: "ascending", value: (j) => j.card?.license, text: (j) => j.card?.license || HB.DASH },
  ];
  const RANK = { key: "rank", label: "Rank", first: "ascending" };
  const JUDGE = { key: "judge", label: "Judge", first: "ascending", value: HB.title };

  const covered = (scores) => (scores && scores.n ? 1 - scores.unscored / scores.n : null);
  HB.cost = (judge) => (judge.cost == null ? null : (1000 * judge.cost) / judge.slices.all.n);

  // Judges with their band on the slice; the band counts all judges, whatever is filtered away.
  HB.ranked = (board, slice) => {
    const bands = slice === "all" ? board.judges.map((judge) => judge.band) : HB.bands(board.judges.map((judge) => HB.main(judge, slice)));
    return board.judges.map((judge, index) => ({ judge, band: bands[index] }));
  };

  const SIZES = { small: [0, 3], middle: [3, 20], large: [20, Infinity] };
  HB.SIZES = { small: "under 3B", middle: "3B to 20B", large: "20B and more" };
  HB.matches = (judge, query) => {
    const size = judge.card?.parameters_b;
    const [least, most] = SIZES[query.size] || [];
    return (
      (!query.kind || judge.kind === query.kind) &&
      (!query.open || judge.card?.openness === query.open) &&
      (!query.license || judge.card?.license === query.license) &&
      (!query.size || (size != null && size >= least && size < most)) &&
      (!query.find || `${judge.name} ${HB.title(judge)} ${judge.card?.by || ""}`.toLowerCase().includes(query.find.toLowerCase()))
    );
  };

  HB.sorted = (entries, query, slice) => {
    const column = [RANK, JUDGE, ...COLUMNS].find((each) => each.key === query.sort) || RANK;
    const sign = (query.order || column.first || "descending") === "ascending" ? 1 : -1;
    const value = (entry) => (column.key === "rank" ? entry.band[0] : column.value(entry.judge, slice));
    const main = (entry) => HB.main(entry.judge, slice)[0] ?? -1;
    return [...entries].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x == null || x === "" || y == null || y === "") return (x == null || x === "") - (y == null || y === "");
      const order = typeof x === "string" ? collator.compare(x, y) : x - y;
      return sign * order || main(b) - main(a);
    });
  };

  const Head = ({ column, query, change }) => {
    const first = column.first || "descending";
    const active = (query.sort || "rank") === column.key;
    const order = active ? query.order || first : "none";
    const other = order === "ascending" ? "descending" : "ascending";
    const press = () => change({ sort: column.key, order: active ? other : first });
    return html`<th scope="col" class=${column.key} aria-sort=${order} title=${column.hint}>
      <button type="button" onClick=${press}>${column.label}<span aria-hidden="true">${{ none: "", ascending: "↑", descending: "↓" }[order]}</span></button></th>`;
  };

  // One element, drawn by its background, so that two hundred of them move with ease.
  const Bar = ({ estimate, floor, from }) => {
    const [value, low, high] = estimate;
    if (value == null) return html`<span class="bar none" aria-hidden="true" />`;
    const at = (share) => 100 * Math.max(0, (share - from) / (1 - from));
    const [left, right] = low == null ? [at(value), at(value)] : [at(low), at(high)];
    const wide = right - left;
    const percent = { at: at(value), from: wide < 100 ? (100 * left) / (100 - wide) : 0, wide };
    if (floor != null && floor >= from) percent.floor = at(floor);
    const style = Object.entries(percent).map(([name, share]) => `--${name}:${share.toFixed(2)}%`).join(";");
    return html`<span class="bar" aria-hidden="true" style=${style} />`;
  };
  HB.Bar = Bar;

  const Cells = ({ judge, slice, columns }) =>
    columns.map((column) => html`<td key=${column.key} class=${column.key}>${column.text(judge, slice)}</td>`);

  const Row = ({ board, entry, slice, columns, floor, from, top }) => {
    const { judge, band } = entry;
    const main = HB.main(judge, slice);
    return html`<tr class=${top ? "top" : ""}>
      <th scope="row" class="judge"><a href=${HB.href(["board", board.id, "judge", judge.slug])}>${HB.title(judge)}</a>
        <span class="under">${judge.kind}${judge.card?.by ? ` · ${judge.card.by}` : ""}</span>
        ${!judge.clears && slice === "all" && html`<span class="under warn">† not shown to beat the majority label</span>`}
        ${judge.note && html`<span class="under warn">${judge.note}</span>`}</th>
      <td class="rank">${HB.band(band)}</td>
      <td class="acc"><strong>${HB.pc(main[0])}</strong><${Bar} estimate=${main} floor=${floor} from=${from} /><span class="ci">${HB.range(main[1], main[2])}</span></td>
      <${Cells} judge=${judge} slice=${slice} columns=${columns} /></tr>`;
  };

  // The majority is counted from the predictions; length needs the rows, without which it is as told.
  const FloorRow = ({ board, name, scores, columns, from }) => html`<tr class="floor">
    <th scope="row" class="judge">${name} <span class="under">a floor, no competitor${name === "baseline:length" && !board.explorer ? "; as the results state it" : ""}</span></th>
    <td class="rank">${HB.DASH}</td>
    <td class="acc"><strong>${HB.pc(scores.acc?.[0])}</strong><${Bar} estimate=${scores.acc || [null]} from=${from} /><span class="ci">${HB.range(scores.acc?.[1], scores.acc?.[2])}</span></td>
    ${columns.map((column) => html`<td key=${column.key}>${["bal", "prec", "rec", "f1", "pair", "auroc"].includes(column.key) ? column.text({ slices: { all: scores } }, "all") : HB.DASH}</td>`)}</tr>`;

  // A column that no judge has a value in is left out.
  const filled = (board, slice) =>
    COLUMNS.slice(1).filter((column) => board.judges.some((judge) => { const v = column.value(judge, slice); return v != null && v !== ""; }));

  const FIRST = 60;
  HB.Ranking = ({ board, slice, query, change, entries }) => {
    const columns = useMemo(() => filled(board, slice), [board, slice]);
    const lows = board.judges.map((judge) => HB.main(judge, slice)).map(([value, low]) => low ?? value ?? 1);
    const majority = board.floors["baseline:majority"];
    const floor = slice === "all" ? majority?.acc?.[0] : null;
    const from = Math.max(0, Math.floor(10 * Math.min(floor ?? 1, ...lows) - 0.5) / 10);
    const heads = [JUDGE, RANK, COLUMNS[0], ...columns];
    const shared = { board, slice, columns, floor, from };
    const [all, showAll] = useState(false);
    const shown = all ? entries : entries.slice(0, FIRST);
    // A judge's row is made once: sorting moves it.
    const made = useMemo(() => new Map(), [board, slice]);
    const row = (entry) => {
      const { slug } = entry.judge;
      if (!made.has(slug)) made.set(slug, html`<${Row} key=${slug} entry=${entry} top=${entry.band[0] === 1} ...${shared} />`);
      return made.get(slug);
    };
    return html`<div class="box" tabindex="0" role="region" aria-label="Ranked judges">
      <table class="ranking"><caption>${slice === "all" ? "Ranked by macro accuracy, the unweighted mean over sources." : "Ranked by accuracy on this part of the rows."} Percent of all rows (precision, recall and F1: of FAIL, the hallucinated), an unreadable answer counting as not right. Bars run from ${HB.pc(from, 0)} to 100 and show 95 % intervals${floor == null ? "" : "; the upright line is what always giving the majority label gets"}.</caption>
      <colgroup>${heads.map((column) => html`<col key=${column.key} class=${column.key} />`)}</colgroup>
      <thead><tr>${heads.map((column) => html`<${Head} key=${column.key} column=${column} query=${query} change=${change} />`)}</tr></thead>
      <tbody>${shown.map(row)}
      ${!entries.length && html`<tr><td class="none" colspan=${columns.length + 3}>No judge is left by these filters.</td></tr>`}</tbody>
      ${slice === "all" && html`<tbody class="floors">${Object.entries(board.floors).map(([name, scores]) => html`<${FloorRow} key=${name} board=${board} name=${name} scores=${scores} columns=${columns} from=${from} />`)}</tbody>`}
      </table></div>${shown.length < entries.length && html`<button type="button" class="more" onClick=${() => showAll(true)}>Show all ${entries.length} judges</button>`}`;
  };

  const Cell = ({ scores }) => {
    const [value, low, high] = scores?.acc || [];
    if (value == null) return html`<td class="none">${HB.DASH}</td>`;
    const strength = Math.round(100 * Math.min(1, Math.max(0, (value - 0.5) * 2)));
    return html`<td style=${`--v:${strength}%`}><b>${HB.pc(value)}</b><span>${HB.range(low, high)}</span></td>`;
  };

  HB.HeatMap = ({ board, entries, group }) => {
    const keys = Object.keys(board.slices).filter((key) => key.startsWith(`${group}/`));
    return html`<div class="box" tabindex="0" role="region" aria-label=${`Accuracy by ${group}`}>
      <table class="heat"><caption>Percent judged right, with 95 % intervals. Colour runs from a half (none) to all (full).</caption>
      <thead><tr><th scope="col" class="judge">Judge</th>${keys.map((key) => html`<th key=${key} scope="col">${key.slice(group.length + 1)}<span class="under">n = ${HB.count(board.slices[key])}</span></th>`)}</tr></thead>
      <tbody>${entries.map(({ judge }) => html`<tr key=${judge.slug}><th scope="row" class="judge"><a href=${HB.href(["board", board.id, "judge", judge.slug])}>${HB.title(judge)}</a></th>
        ${keys.map((key) => html`<${Cell} key=${key} scores=${judge.slices[key]} />`)}</tr>`)}</tbody></table></div>`;
  };
})();
