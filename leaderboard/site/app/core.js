"use strict";
// What every view needs: the data (a script a part, so that it loads from disk too), the address,
// how figures are written, and the theme.
(() => {
  const HB = (window.HB ||= {});
  const { html, useEffect, useState } = htmPreact;
  const parts = new Map();

  // Called by each file under data/.
  HB.take = (name, value) => part(name).resolve(value);

  HB.load = (name) => {
    const found = part(name);
    if (!found.asked) {
      found.asked = true;
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      script.addEventListener("error", () => found.reject(new Error(`data/${name}.js is missing.`)));
      document.head.append(script);
    }
    return found.promise;
  };

  function part(name) {
    if (!parts.has(name)) {
      const made = {};
      made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
      parts.set(name, made);
    }
    return parts.get(name);
  }

  // {value} once the part is there, {error} when it cannot be had, {} until then.
  HB.useData = (name) => {
    const [state, set] = useState({});
    useEffect(() => {
      let wanted = true;
      set({});
      if (name) {
        HB.load(name).then(
          (value) => wanted && set({ name, value }),
          (error) => wanted && set({ name, error }),
        );
      }
      return () => (wanted = false);
    }, [name]);
    return state.name === name ? state : {};
  };

  // The address: #/board/ID/view/NAME?key=value.
  HB.parse = (hash) => {
    const [path, query] = hash.replace(/^#\/?/, "").split("?");
    return {
      path: path.split("/").filter(Boolean).map(decodeURIComponent),
      query: Object.fromEntries(new URLSearchParams(query || "")),
    };
  };

  HB.href = (path, query = {}) => {
    const kept = Object.entries(query).filter(([, value]) => value !== "" && value != null);
    const text = new URLSearchParams(kept).toString();
    return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
  };

  HB.useRoute = () => {
    const [hash, set] = useState(location.hash);
    useEffect(() => {
      const listen = () => set(location.hash);
      addEventListener("hashchange", listen);
      return () => removeEventListener("hashchange", listen);
    }, []);
    return HB.parse(hash);
  };

  HB.go = (path, query) => (location.hash = HB.href(path, query));

  // Figures. A share in [0, 1] is written in percent.
  const DASH = "–";
  HB.DASH = DASH;
  HB.pc = (share, digits = 1) => (share == null ? DASH : (100 * share).toFixed(digits));
  HB.range = (low, high) =>
    low == null || high == null ? "" : `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)}`;
  HB.unit = (value) => (value == null ? DASH : value.toFixed(3));
  HB.count = (n) => n.toLocaleString("en");
  HB.plural = (n, one, many = `${one}s`) => `${HB.count(n)} ${n === 1 ? one : many}`;
  HB.dollars = (usd) => {
    if (usd == null) return DASH;
    if (usd === 0) return "free";
    return usd >= 1 ? `$${usd.toFixed(2)}` : `$${usd.toPrecision(2)}`;
  };
  HB.seconds = (s) => {
    if (s == null) return DASH;
    return s < 1 ? `${Math.max(1, Math.round(1000 * s))} ms` : `${s.toFixed(s < 10 ? 1 : 0)} s`;
  };
  HB.size = (billions) => {
    if (billions == null) return DASH;
    return billions < 1 ? `${Math.round(1000 * billions)}M` : `${+billions.toFixed(1)}B`;
  };
  HB.OPENNESS = { open: "open", weights: "open weights", closed: "closed" };
  HB.title = (judge) => judge.card?.title || judge.name;

  // Rank as a band of places: the rule of halubench/rank/board.py, on any figure with an interval.
  HB.bands = (estimates) => {
    const ranked = estimates.filter(([, low, high]) => low != null && high != null);
    return estimates.map(([, low, high]) => {
      if (low == null || high == null) return [null, null];
      const above = ranked.filter((other) => other[1] > high).length;
      const below = ranked.filter((other) => other[2] < low).length;
      return [1 + above, ranked.length - below];
    });
  };
  HB.band = ([best, worst]) =>
    best == null ? DASH : best === worst ? String(best) : `${best}–${worst}`;

  // Theme: the system's until the reader chooses; the choice is kept where the browser allows it.
  const THEMES = ["auto", "light", "dark"];
  const kept = () => {
    try {
      return localStorage.getItem("halubench-theme") || "auto";
    } catch {
      return "auto";
    }
  };
  const show = (theme) => {
    const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  };
  show(kept());
  HB.Theme = () => {
    const [theme, set] = useState(kept());
    useEffect(() => {
      show(theme);
      try {
        localStorage.setItem("halubench-theme", theme);
      } catch {
        // A page from disk may have no storage; the choice then lasts as long as the page.
      }
      const system = matchMedia("(prefers-color-scheme: dark)");
      const follow = () => show(theme);
      system.addEventListener("change", follow);
      return () => system.removeEventListener("change", follow);
    }, [theme]);
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    return html`<button type="button" class="theme" onClick=${() => set(next)}
      aria-label=${`Colours: ${theme}. Change to ${next}.`}>${{ auto: "◐", light: "☀", dark: "☾" }[theme]} <span>${theme}</span></button>`;
  };

  HB.Wait = ({ state }) =>
    state.error
      ? html`<p class="alert fail" role="alert">${state.error.message} Build the folder again, or copy it whole.</p>`
      : html`<p class="wait" role="status">Loading …</p>`;
})();
