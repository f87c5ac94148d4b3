"use strict";
// One benchmark: its audit, the ranking with its filters, the heat maps, the charts.
(() => {
  const HB = (window.HB ||= {});
  const { html, useMemo, useState } = htmPreact;

  const Audit = ({ audit }) => {
    if (!audit) {
      return html`<aside class="alert undecided" aria-label="Audit"><p><strong>Not audited.</strong> What shortcuts score on these rows is not known beyond the floors in the table.</p></aside>`;
    }
    const probes = audit.probes.filter((probe) => probe.auroc[0] != null).sort((a, b) => b.auroc[0] - a.auroc[0]);
    return html`<aside class=${`alert ${audit.status}`} aria-label="Audit">
      <p><strong>${audit.leaks ? "This benchmark leaks." : audit.status === "fail" ? "Audited, with faults." : "Audited."}</strong> ${audit.verdict} ${audit.leaks && "A high score here may owe to shortcuts, not to reading."}</p>
      <details><summary>What tells the label without reading the passage</summary>
        <table class="plain"><caption>AUROC of each shortcut over all rows, with its 95 % interval; 0.5 is chance.</caption>
        <thead><tr><th scope="col">Shortcut</th><th scope="col">AUROC</th><th scope="col">Interval</th><th scope="col">Rule</th></tr></thead>
        <tbody>${probes.map((probe) => html`<tr key=${probe.name}><th scope="row">${probe.name}</th><td><meter min="0.5" max="1" value=${probe.auroc[0]} aria-hidden="true"></meter> ${HB.unit(probe.auroc[0])}</td><td>${HB.unit(probe.auroc[1])}–${HB.unit(probe.auroc[2])}</td><td class="text">${probe.rule}</td></tr>`)}</tbody></table>
        ${audit.failed.length > 0 && html`<h3>Gates that fail</h3><ul>${audit.failed.map((gate) => html`<li key=${gate.name + gate.scope}>${gate.name} (${gate.scope}): ${gate.value == null ? HB.DASH : gate.value.toFixed(3)}, allowed ${gate.limit}</li>`)}</ul>`}
      </details></aside>`;
  };

  const Choice = ({ label, name, query, change, children }) =>
    html`<label>${label}<select value=${query[name] || ""} onChange=${(event) => change({ [name]: event.target.value })}>${children}</select></label>`;

  const GROUPS = { source: "Source", domain: "Domain", perturbation: "Perturbation", level: "Level" };
  HB.groups = (board) => Object.keys(GROUPS).filter((group) => Object.keys(board.slices).filter((key) => key.startsWith(`${group}/`)).length > 1);

  const Filters = ({ board, query, change, slice }) => {
    const has = (pick) => [...new Set(board.judges.map(pick).filter(Boolean))].sort();
    const kinds = has((judge) => judge.kind);
    const openness = has((judge) => judge.card?.openness);
    const licences = has((judge) => judge.card?.license);
    const sized = board.judges.some((judge) => judge.card?.parameters_b != null);
    const shared = { query, change };
    return html`<form class="filters" onSubmit=${(event) => event.preventDefault()} aria-label="Filters">
      <label>Rows<select value=${slice} onChange=${(event) => change({ slice: event.target.value })}><option value="all">all ${HB.count(board.rows)}</option>
        ${HB.groups(board).map((group) => html`<optgroup key=${group} label=${GROUPS[group]}>${Object.keys(board.slices).filter((key) => key.startsWith(`${group}/`)).map((key) => html`<option key=${key} value=${key}>${key.slice(group.length + 1)} (${HB.count(board.slices[key])})</option>`)}</optgroup>`)}</select></label>
      ${kinds.length > 1 && html`<${Choice} label="Kind" name="kind" ...${shared}><option value="">every kind</option>${kinds.map((kind) => html`<option key=${kind} value=${kind}>${kind}</option>`)}</${Choice}>`}
      ${openness.length > 0 && html`<${Choice} label="Openness" name="open" ...${shared}><option value="">any</option>${openness.map((open) => html`<option key=${open} value=${open}>${HB.OPENNESS[open]}</option>`)}</${Choice}>`}
      ${licences.length > 0 && html`<${Choice} label="Licence" name="license" ...${shared}><option value="">any</option>${licences.map((licence) => html`<option key=${licence} value=${licence}>${licence}</option>`)}</${Choice}>`}
      ${sized && html`<${Choice} label="Size" name="size" ...${shared}><option value="">any</option>${Object.entries(HB.SIZES).map(([size, text]) => html`<option key=${size} value=${size}>${text}</option>`)}</${Choice}>`}
      <label>Find<input type="search" placeholder="judge or maker" value=${query.find || ""} onInput=${(event) => change({ find: event.target.value }, true)} /></label></form>`;
  };

  const Facts = ({ board }) => {
    const leaders = board.judges.filter((judge) => judge.band[0] === 1);
    const majority = board.floors["baseline:majority"];
    const worst = board.audit && Math.max(...board.audit.probes.map((probe) => probe.auroc[0] ?? 0));
    return html`<dl class="facts">
      <div><dt>Rows</dt><dd>${HB.count(board.rows)}</dd><dd class="note">from ${HB.plural(board.sources.length, "source")}</dd></div>
      <div><dt>Judges</dt><dd>${board.judges.length}</dd><dd class="note">measured on the same rows</dd></div>
      <div><dt>In the lead</dt><dd class=${leaders.length === 1 ? "name" : ""}>${leaders.length === 1 ? HB.title(leaders[0]) : leaders.length || HB.DASH}</dd><dd class="note">${leaders.length === 1 ? `${HB.pc(leaders[0].macro[0])} % macro accuracy` : leaders.length ? "that the data cannot tell apart" : "no intervals to rank by"}</dd></div>
      <div><dt>Majority floor</dt><dd>${HB.pc(majority?.acc?.[0])}<small> %</small></dd><dd class="note">always the same verdict</dd></div>
      <div><dt>Strongest shortcut</dt><dd>${worst ? worst.toFixed(2) : HB.DASH}</dd><dd class="note">${worst ? "AUROC, 0.5 is none" : "not audited"}</dd></div></dl>`;
  };

  const FIRST = 40;
  const Heat = ({ board, entries }) => {
    const groups = HB.groups(board);
    const [group, set] = useState(groups[0]);
    const [all, showAll] = useState(false);
    if (!groups.length) return null;
    return html`<section aria-labelledby="heat"><h2 id="heat">Where each judge is strong</h2>
      ${groups.length > 1 && html`<div class="tabs" role="group" aria-label="Split rows by">${groups.map((each) => html`<button type="button" key=${each} aria-pressed=${each === group} onClick=${() => set(each)}>${GROUPS[each]}</button>`)}</div>`}
      <${HB.HeatMap} board=${board} entries=${all ? entries : entries.slice(0, FIRST)} group=${group} />
      ${entries.length > FIRST && !all && html`<button type="button" class="more" onClick=${() => showAll(true)}>Show all ${entries.length} judges</button>`}</section>`;
  };

  const Charts = ({ board, entries, slice }) => {
    const calibrated = entries.filter(({ judge }) => judge.reliability?.some((bin) => bin.n > 0)).slice(0, 12);
    const cost = HB.Tradeoff({ board, entries, slice, along: HB.cost, label: "US dollars per 1,000 rows", write: HB.dollars, title: "Accuracy against cost" });
    const speed = HB.Tradeoff({ board, entries, slice, along: (judge) => judge.latency, label: "Median time a row", write: HB.seconds, title: "Accuracy against speed" });
    return html`<section aria-labelledby="charts"><h2 id="charts">What it takes, and what becomes of the rows</h2>
      <div class="charts">${cost}${speed}<${HB.Outcomes} entries=${entries} slice=${slice} /><${HB.Pairs} entries=${entries} slice=${slice} /></div>
      ${!cost && !speed && html`<p class="soft">Fewer than two of these judges have a price or a time, so nothing is drawn against them.</p>`}</section>
      ${calibrated.length > 0 && html`<section aria-labelledby="calibration"><h2 id="calibration">Can its certainty be trusted?</h2>
        <p class="soft">How often answers with a stated probability of being hallucinated are. On the dashed line it is as stated.</p>
        <div class="small-multiples">${calibrated.map(({ judge }) => html`<${HB.Reliability} key=${judge.slug} bins=${judge.reliability} name=${HB.title(judge)} small=${true} />`)}</div></section>`}`;
  };

  HB.BoardView = ({ board, query, path }) => {
    const slice = board.slices[query.slice] == null ? "all" : query.slice;
    const change = (changed, quiet) => {
      const href = HB.href(path, { ...query, ...changed });
      if (quiet) {
        history.replaceState(null, "", href);
        dispatchEvent(new HashChangeEvent("hashchange"));
      } else location.hash = href;
    };
    const ranked = useMemo(() => HB.ranked(board, slice), [board, slice]);
    const { sort, order, ...filters } = query;
    const left = useMemo(() => HB.sorted(ranked.filter(({ judge }) => HB.matches(judge, query)), {}, slice), [ranked, JSON.stringify(filters)]);
    const entries = useMemo(() => HB.sorted(left, { sort, order }, slice), [left, sort, order]);
    // In order of rank whatever the table is sorted by, so that sorting draws the table alone.
    const below = useMemo(() => html`<${Heat} board=${board} entries=${left} /><${Charts} board=${board} entries=${left} slice=${slice} />`, [left]);
    const filtered = entries.length < board.judges.length;
    return html`<h1>${board.name}</h1>
      <${Facts} board=${board} /><${Audit} audit=${board.audit} />
      <section aria-labelledby="ranking"><div class="beside"><h2 id="ranking">Ranking</h2>
        ${board.explorer && html`<a class="button" href=${HB.href(["board", board.id, "rows"])}>Rows where judges disagree →</a>`}</div>
      <p class="soft">A rank is a band: a judge stands below another only where its 95 % interval lies wholly below. The judges of the first band are marked.</p>
      <${Filters} board=${board} query=${query} change=${change} slice=${slice} />
      <p class="soft" role="status">${filtered ? `${entries.length} of ${HB.plural(board.judges.length, "judge")}; ranks still count all.` : ""}</p>
      <${HB.Ranking} board=${board} slice=${slice} query=${query} change=${change} entries=${entries} /></section>
      ${below}
      <p class="soft">sha256 of the rows: <code>${board.sha256}</code>. The same figures: <a href="leaderboard.csv">CSV</a>, <a href="leaderboard.json">JSON</a>, <a href="leaderboard.md">Markdown</a>.</p>`;
  };
})();
