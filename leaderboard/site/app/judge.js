"use strict";
// One judge on one benchmark: all its figures, and how to get them again.
(() => {
  const HB = (window.HB ||= {});
  const { html, useState } = htmPreact;

  const Confusion = ({ cells, title }) => {
    const cell = (label, verdict) => {
      const total = cells[label].reduce((a, b) => a + b, 0) || 1;
      const kind = verdict === 2 ? "unread" : label === verdict ? "right" : "wrong";
      return html`<td class=${kind} style=${`--v:${Math.round((100 * cells[label][verdict]) / total)}%`}><b>${HB.count(cells[label][verdict])}</b><span>${HB.pc(cells[label][verdict] / total)} %</span></td>`;
    };
    return html`<table class="confusion"><caption>${title}. FAIL (hallucinated) is the positive class.</caption>
      <thead><tr><th scope="col">Label</th><th scope="col">judged PASS</th><th scope="col">judged FAIL</th><th scope="col">unreadable</th></tr></thead>
      <tbody><tr><th scope="row">PASS</th>${[0, 1, 2].map((v) => cell(0, v))}</tr><tr><th scope="row">FAIL</th>${[0, 1, 2].map((v) => cell(1, v))}</tr></tbody></table>`;
  };

  const Slices = ({ judge, board }) => html`<div class="box" tabindex="0" role="region" aria-label="Figures by part"><table class="plain figures">
    <caption>Percent of the rows of each part, with the 95 % interval of accuracy.</caption>
    <thead><tr>${["Part", "Rows", "Accuracy", "0 to 100", "Balanced", "FAIL prec.", "FAIL recall", "FAIL F1", "MCC", "Pairs", "AUROC", "Unread"].map((name, index) => html`<th scope="col" key=${index}>${name}</th>`)}</tr></thead>
    <tbody>${Object.keys(board.slices).filter((key) => judge.slices[key]).map((key) => {
      const s = judge.slices[key];
      return html`<tr key=${key}><th scope="row">${key === "all" ? "all rows" : key.split("/").slice(1).join("/")} ${key !== "all" && html`<span class="under">${key.split("/")[0]}</span>`}</th><td>${HB.count(s.n)}</td><td><strong>${HB.pc(s.acc?.[0])}</strong> <span class="ci">${HB.range(s.acc?.[1], s.acc?.[2])}</span></td><td><${HB.Bar} estimate=${s.acc || [null]} from=${0} /></td>
        ${["bal", "prec", "rec", "f1"].map((name) => html`<td key=${name}>${HB.pc(s[name]?.[0])}</td>`)}<td>${s.mcc ? s.mcc[0].toFixed(2) : HB.DASH}</td><td>${HB.pc(s.pair?.[0])}</td><td>${HB.unit(s.auroc?.[0])}</td><td>${s.unscored}</td></tr>`;
    })}</tbody></table></div>`;

  const Copy = ({ text }) => {
    const [said, say] = useState("Copy");
    const copy = () => navigator.clipboard?.writeText(text).then(() => say("Copied"), () => say("Select it by hand"));
    return html`<div class="command"><pre tabindex="0"><code>${text}</code></pre><button type="button" onClick=${copy}>${said}</button></div>`;
  };

  const words = (told) => Object.entries(told).map(([name, each]) => `${name} ${value(each)}`).join(", ");
  const value = (each) => (typeof each === "string" ? each : JSON.stringify(each));
  const How = ({ detail }) => {
    const { results, command, prompt } = detail;
    const asked = results.judge;
    const told = [
      ["Judge", asked.uri], ["Mode", asked.mode], ["Prompt", asked.prompt],
      ["Prompt hash", asked.prompt_hash || "none"],
      ["Decoding", words(asked.decoding)],
      ...Object.entries(results.judge.identity).map(([key, each]) => [key, value(each)]),
      ["Data", results.data.ref], ["Data sha256", results.data.sha256],
      ["Tokens", `${HB.count(results.usage.prompt_tokens)} prompt, ${HB.count(results.usage.completion_tokens)} completion`],
      ["Cost", HB.dollars(results.usage.cost_usd)],
      ["Latency", `median ${HB.seconds(results.usage.latency_p50)}, 95th percentile ${HB.seconds(results.usage.latency_p95)}`],
      ["Speed", results.speed && `${HB.count(+results.speed.rows_per_s.toPrecision(3))} rows/s over ${HB.count(results.speed.rows)} rows`],
      ["Too long", words(results.overflow)], ["Hardware", words(results.hardware)],
      ["Versions", words(results.versions) || "not recorded"],
      ["Intervals", `${HB.count(results.resamples)} resamples of passages, seed ${results.seed}`],
    ].filter(([, each]) => each);
    return html`<section aria-labelledby="how"><h2 id="how">How it was measured</h2>
      ${results.warnings.map((warning) => html`<p class="alert undecided" key=${warning}><strong>Warning.</strong> ${warning}</p>`)}
      <h3>Measure it again</h3><${Copy} text=${command} />
      <dl class="told">${told.map(([name, each]) => html`<dt key=${name}>${name}</dt><dd><code>${each}</code></dd>`)}</dl>
      ${prompt && html`<details><summary>The prompt</summary><pre class="prompt" tabindex="0">${prompt}</pre></details>`}</section>`;
  };

  // What a stated probability is worth, in figures.
  const Calibrated = ({ scores }) => {
    const rows = [["Brier score", scores.brier, "mean squared error of P(FAIL); lower is better"], ["ECE", scores.ece, "expected calibration error; lower is better"], ["AUROC", scores.auroc, "0.5 is chance"]];
    return html`<dl class="told">${rows.filter(([, each]) => each).map(([name, [share, low, high], hint]) => html`<dt key=${name}>${name}</dt><dd><strong>${HB.unit(share)}</strong> <span class="ci">${low != null && `${HB.unit(low)}–${HB.unit(high)}`}</span> <span class="under">${hint}</span></dd>`)}</dl>`;
  };

  const Consistency = ({ variants }) => html`<section aria-labelledby="same"><h2 id="same">The same rows in other words</h2>
    <div class="box" tabindex="0" role="region" aria-label="Consistency"><table class="plain"><caption>Percent of the rows that could be varied, with 95 % intervals.</caption>
    <thead><tr>${["Variant", "Rows", "Same verdict", "Right on the variant", "Right on both"].map((name) => html`<th scope="col" key=${name}>${name}</th>`)}</tr></thead>
    <tbody>${Object.entries(variants).map(([name, each]) => html`<tr key=${name}><th scope="row">${name}</th><td>${HB.count(each.n)} of ${HB.count(each.of)}</td>${[each.same, each.accuracy, each.both_right].map((share, index) => html`<td key=${index}>${HB.pc(share.value)} <span class="ci">${HB.range(share.low, share.high)}</span></td>`)}</tr>`)}</tbody></table></div></section>`;

  const Unread = ({ reasons }) => {
    const every = Object.entries(reasons).sort((a, b) => b[1] - a[1]);
    return html`<div><h3>Answers that could not be read</h3>${every.length ? html`<ul>${every.map(([reason, count]) => html`<li key=${reason}>${HB.count(count)} × ${reason}</li>`)}</ul>` : html`<p class="soft">None: every row has a verdict.</p>`}</div>`;
  };

  HB.JudgeView = ({ board, judge }) => {
    const state = HB.useData(`${board.id}/judges/${judge.slug}`);
    const detail = state.value;
    const card = judge.card;
    const badges = [judge.kind, card?.by, card?.parameters_b && HB.size(card.parameters_b), HB.OPENNESS[card?.openness], card?.license].filter(Boolean);
    const all = judge.slices.all;
    return html`<p class="crumbs"><a href=${HB.href(["board", board.id])}>← ${board.name}</a></p>
      <h1>${HB.title(judge)}</h1>
      <p class="badges">${badges.map((badge) => html`<span class="badge" key=${badge}>${badge}</span>`)}${card?.url && html`<a href=${card.url} rel="noreferrer">About it ↗</a>`}</p>
      ${card?.title && card.title !== judge.name && html`<p class="soft">Measured as <code>${judge.name}</code></p>`}
      ${card?.note && html`<p>${card.note}</p>`}${judge.note && html`<p class="alert undecided">${judge.note}</p>`}
      <dl class="facts">
        <div><dt>Rank</dt><dd>${HB.band(judge.band)}</dd><dd class="note">of ${HB.plural(board.judges.length, "judge")}</dd></div>
        <div><dt>Macro accuracy</dt><dd>${HB.pc(judge.macro[0])}<small> %</small></dd><dd class="note">${HB.range(judge.macro[1], judge.macro[2])}</dd></div>
        <div><dt>Hallucinations found</dt><dd>${HB.pc(all.rec?.[0])}<small> %</small></dd><dd class="note">FAIL recall</dd></div>
        <div><dt>Alarms that are right</dt><dd>${HB.pc(all.prec?.[0])}<small> %</small></dd><dd class="note">FAIL precision</dd></div>
        <div><dt>Coverage</dt><dd>${HB.pc(1 - all.unscored / all.n)}<small> %</small></dd><dd class="note">${HB.count(all.unscored)} of ${HB.count(all.n)} unreadable</dd></div></dl>
      ${board.explorer && detail?.letters && html`<p><a class="button" href=${HB.href(["board", board.id, "rows"], { wrong: judge.name })}>Rows that it got wrong →</a></p>`}
      ${!detail ? html`<${HB.Wait} state=${state} />` : html`
        <section aria-labelledby="right"><h2 id="right">Right and wrong</h2><div class="charts"><${Confusion} cells=${detail.confusion} title="All rows" /><${Unread} reasons=${detail.results.unscored_reasons} /></div></section>
        <section aria-labelledby="parts"><h2 id="parts">By part</h2><${Slices} judge=${judge} board=${board} /></section>
        ${all.auroc && html`<section aria-labelledby="sure"><h2 id="sure">Certainty</h2><${Calibrated} scores=${all} />
          <div class="charts"><${HB.Reliability} bins=${judge.reliability} name=${HB.title(judge)} />${detail.results.risk_coverage.length > 1 && html`<${HB.Risk} points=${detail.results.risk_coverage} name=${HB.title(judge)} />`}</div></section>`}
        ${Object.keys(detail.results.consistency).length > 0 && html`<${Consistency} variants=${detail.results.consistency} />`}
        <${How} detail=${detail} />`}`;
  };
})();
