"use strict";
// The row explorer: the questions that judges disagree on, the edit in both answers, every verdict.
(() => {
  const HB = (window.HB ||= {});
  const { html, useEffect, useMemo, useRef, useState } = htmPreact;
  const HEIGHT = 84;
  const WORDS = { P: "PASS", F: "FAIL", U: "unreadable" };

  // Where each case's rows begin in a judge's string of verdicts.
  const starts = (index) => {
    let at = 0;
    return index.labels.map((labels) => { const start = at; at += labels.length; return start; });
  };
  const isWrong = (letters, start, labels) => [...labels].some((label, row) => letters[start + row] !== label);

  const titleOf = (board, name) => {
    const known = board.judges.find((judge) => judge.name === name);
    return known ? HB.title(known) : name;
  };

  const useLetters = (board, name) => {
    const judge = board.judges.find((each) => each.name === name);
    const state = HB.useData(judge && `${board.id}/judges/${judge.slug}`);
    return name ? state.value?.letters : undefined;
  };

  const chosen = (index, query, wrong, right) => {
    const from = starts(index);
    const found = [];
    for (let i = 0; i < index.labels.length; i++) {
      if (query.source && index.source[i] !== query.source) continue;
      if (query.type && index.type[i] !== query.type) continue;
      if (query.domain && index.domain[i] !== query.domain) continue;
      if (wrong && !isWrong(wrong, from[i], index.labels[i])) continue;
      if (right && isWrong(right, from[i], index.labels[i])) continue;
      if (query.find && !index.question[i].toLowerCase().includes(query.find.toLowerCase())) continue;
      found.push(i);
    }
    return found;
  };

  // Only the items in sight are in the document, however many there are.
  const List = ({ index, found, open, href }) => {
    const box = useRef();
    const [view, set] = useState({ top: 0, height: 640 });
    const look = () => set({ top: box.current.scrollTop, height: box.current.clientHeight });
    useEffect(look, []);
    useEffect(() => {
      const place = found.indexOf(open);
      const { scrollTop, clientHeight } = box.current;
      if (place >= 0 && (place * HEIGHT < scrollTop || (place + 1) * HEIGHT > scrollTop + clientHeight)) box.current.scrollTop = Math.max(0, place * HEIGHT - HEIGHT);
    }, [open, found]);
    const first = Math.max(0, Math.floor(view.top / HEIGHT) - 4);
    const last = Math.min(found.length, Math.ceil((view.top + view.height) / HEIGHT) + 4);
    return html`<div class="list" ref=${box} onScroll=${look} tabindex="0" role="region" aria-label="Questions"><ul style=${`height:${found.length * HEIGHT}px`}>
      ${found.slice(first, last).map((i, offset) => html`<li key=${i} style=${`top:${(first + offset) * HEIGHT}px`} aria-setsize=${found.length} aria-posinset=${first + offset + 1}>
        <a href=${href(i)} aria-current=${i === open ? "true" : undefined}><span class="question">${index.question[i]}</span>
        <span class="split"><span class="meter" aria-hidden="true"><i style=${`width:${Math.round(100 * index.wrong[i])}%`}></i></span>${HB.pc(index.wrong[i], 0)} % wrong · ${index.source[i]}${index.type[i] && ` · ${index.type[i]}`}</span></a></li>`)}</ul></div>`;
  };

  const Marked = ({ text, spans, kind }) => {
    const parts = [];
    let at = 0;
    for (const [start, end] of spans) {
      if (start > at) parts.push(text.slice(at, start));
      parts.push(html`<mark class=${kind}>${text.slice(start, end)}</mark>`);
      at = Math.max(at, end);
    }
    return [...parts, text.slice(at)];
  };

  // Spans are counted in code points (as Python does); a JavaScript string counts in UTF-16 units.
  const units = (text, spans) => {
    const points = [...text];
    if (points.length === text.length) return spans;
    const upto = (end) => points.slice(0, end).join("").length;
    return spans.map(([start, end]) => [upto(start), upto(end)]);
  };

  // Where the changed words of either answer stand in the passage.
  const evidence = (passage, answers) => {
    const found = [];
    for (const answer of answers) {
      for (const [start, end] of units(answer.text, answer.spans)) {
        const words = answer.text.slice(start, end).trim();
        if (words.length < 2) continue;
        for (let at = passage.indexOf(words), n = 0; at >= 0 && n < 5; at = passage.indexOf(words, at + words.length), n++) found.push([at, at + words.length, answer.label]);
      }
    }
    found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
    let end = 0;
    return found.filter(([start, stop]) => start >= end && ((end = stop), true));
  };

  const Passage = ({ text, answers }) => {
    const parts = [];
    let at = 0;
    for (const [start, end, label] of evidence(text, answers)) {
      parts.push(text.slice(at, start), html`<mark class=${label}>${text.slice(start, end)}</mark>`);
      at = end;
    }
    return html`<blockquote class="passage" tabindex="0" aria-label="Passage">${parts}${text.slice(at)}</blockquote>`;
  };

  const Verdict = ({ letter, label, p }) => {
    const right = letter === label[0];
    const kind = letter === "U" ? "unread" : right ? "right" : "wrong";
    const sign = letter === "U" ? "?" : right ? "✓" : "✗";
    return html`<span class=${`verdict ${kind}`}><span aria-hidden="true">${sign}</span> ${WORDS[letter]}<span class="hidden">, ${kind === "unread" ? "no verdict" : kind}</span></span>${p != null && html` <span class="ci" title="P(FAIL) as the judge gives it">${p.toFixed(2)}</span>`}`;
  };

  const Judged = ({ board, index, item, start, letters }) => {
    const names = index.judges;
    return html`<table class="plain judged"><caption>What each judge said. Open a line for its reasoning.</caption>
      <thead><tr><th scope="col">Judge</th>${item.answers.map((answer, row) => html`<th scope="col" key=${row}>of the ${answer.label} answer${item.answers.length > 2 ? ` ${row + 1}` : ""}</th>`)}</tr></thead>
      <tbody>${names.map((name, judge) => {
        const said = item.answers.map((answer) => answer.said[judge]).some(Boolean);
        return html`<tr key=${name}><th scope="row">${said ? html`<details><summary>${titleOf(board, name)}</summary>${item.answers.map((answer, row) => answer.said[judge] && html`<div class="reasoning" key=${row}><span class="under">of the ${answer.label} answer</span><p>${answer.said[judge]}</p></div>`)}</details>` : titleOf(board, name)}</th>
          ${item.answers.map((answer, row) => html`<td key=${row}>${letters[judge] ? html`<${Verdict} letter=${letters[judge][start + row]} label=${answer.label} p=${answer.p_fail[judge]} />` : "…"}</td>`)}</tr>`;
      })}</tbody></table>`;
  };

  // Every judge's verdicts on the listed rows: a short string each, fetched once.
  const useAllLetters = (board, index) => {
    const [letters, set] = useState([]);
    useEffect(() => {
      let wanted = true;
      const slugs = index.judges.map((name) => board.judges.find((judge) => judge.name === name)?.slug);
      Promise.all(slugs.map((slug) => HB.load(`${board.id}/judges/${slug}`))).then((every) => wanted && set(every.map((each) => each.letters)), () => {});
      return () => (wanted = false);
    }, [board, index]);
    return letters;
  };

  const Case = ({ board, index, open, place, total, before, after }) => {
    const state = HB.useData(`${board.id}/cases/${index.batch[open]}`);
    const letters = useAllLetters(board, index);
    const heading = useRef();
    useEffect(() => heading.current?.focus({ preventScroll: true }), [open]);
    const from = useMemo(() => starts(index), [index]);
    const item = state.value?.[open - index.batch.indexOf(index.batch[open])];
    return html`<article class="case"><nav class="beside" aria-label="Neighbours"><span class="soft">${place + 1} of ${HB.count(total)}</span><span>${before && html`<a class="button" href=${before} rel="prev">← Before</a>`} ${after && html`<a class="button" href=${after} rel="next">Next →</a>`}</span></nav>
      <h2 tabindex="-1" ref=${heading}>${item ? item.question : index.question[open]}</h2>
      <p class="badges"><span class="badge">${index.source[open]}</span>${index.domain[open] && html`<span class="badge">${index.domain[open]}</span>`}${index.type[open] && html`<span class="badge">${index.type[open]}</span>`}${item?.change && html`<span class="soft">${item.change}</span>`}</p>
      ${!item ? html`<${HB.Wait} state=${state} />` : html`
        <div class="twins">${item.answers.map((answer) => html`<div class=${`twin ${answer.label}`} key=${answer.id}><p class="under">${answer.label} · ${answer.label === "PASS" ? "faithful" : "hallucinated"}</p><p class="answer"><${Marked} text=${answer.text} spans=${units(answer.text, answer.spans)} kind=${answer.label} /></p><p class="under">row <code>${answer.id}</code></p></div>`)}</div>
        <h3>Passage</h3><${Passage} text=${item.passage} answers=${item.answers} />
        <${Judged} board=${board} index=${index} item=${item} start=${from[open]} letters=${letters} />`}</article>`;
  };

  const Pick = ({ label, name, values, query, change, any = "any", write = String }) =>
    values.length > (name === "wrong" || name === "right" ? 0 : 1) &&
    html`<label>${label}<select value=${query[name] || ""} onChange=${(event) => change({ [name]: event.target.value })}><option value="">${any}</option>${values.map((value) => html`<option key=${value} value=${value}>${write(value)}</option>`)}</select></label>`;

  HB.RowsView = ({ board, query }) => {
    const state = HB.useData(`${board.id}/cases`);
    return state.value ? html`<${Explorer} board=${board} index=${state.value} query=${query} />` : html`<${HB.Wait} state=${state} />`;
  };

  const Explorer = ({ board, index, query }) => {
    const path = ["board", board.id, "rows"];
    const wrong = useLetters(board, query.wrong);
    const right = useLetters(board, query.right);
    const found = useMemo(() => chosen(index, query, wrong, right), [index, wrong, right, query.source, query.type, query.domain, query.find]);
    const values = (column) => useMemo(() => [...new Set(column)].filter(Boolean).sort(), [column]);
    const open = query.row ? index.ids.findIndex((ids) => ids.includes(query.row)) : -1;
    const href = (i) => HB.href(path, { ...query, row: index.ids[i][0] });
    const change = (changed) => HB.go(path, { ...query, row: "", ...changed });
    const place = found.indexOf(open);
    const { cases, total } = board.explorer;
    const shared = { query, change };
    const judges = { values: index.judges, any: "any judge", write: (name) => titleOf(board, name) };
    return html`<p class="crumbs"><a href=${HB.href(["board", board.id])}>← ${board.name}</a></p><h1>Where judges disagree</h1>
      <p class="soft">${cases < total ? `The ${HB.count(cases)} most disputed of ${HB.count(total)} questions` : HB.plural(total, "question")}, those on which judges are most divided first.</p>
      <form class="filters" onSubmit=${(event) => event.preventDefault()} aria-label="Filters">
        <${Pick} label="Got wrong by" name="wrong" ...${judges} ...${shared} /><${Pick} label="Got right by" name="right" ...${judges} ...${shared} />
        <${Pick} label="Source" name="source" values=${values(index.source)} ...${shared} /><${Pick} label="Perturbation" name="type" values=${values(index.type)} ...${shared} /><${Pick} label="Domain" name="domain" values=${values(index.domain)} ...${shared} />
        <label>Find<input type="search" placeholder="words of the question" value=${query.find || ""} onChange=${(event) => change({ find: event.target.value })} /></label></form>
      <p class="soft" role="status">${HB.plural(found.length, "question")}</p>
      <div class=${`explorer ${open >= 0 ? "opened" : ""}`}><${List} index=${index} found=${found} open=${open} href=${href} />
        ${open >= 0 ? html`<div><a class="close button" href=${HB.href(path, { ...query, row: "" })}>← All questions</a><${Case} board=${board} index=${index} open=${open} place=${Math.max(0, place)} total=${found.length} before=${place > 0 && href(found[place - 1])} after=${place >= 0 && place + 1 < found.length && href(found[place + 1])} /></div>` : html`<p class="hint">Choose a question to see its two answers, the edit between them, and every judge's words.</p>`}</div>`;
  };
})();
