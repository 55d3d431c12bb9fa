"""The looks of the page that `inspect` writes: paper and ink by day, chalk and slate by night."""

CSS = """
:root {
  color-scheme: light dark;
  --paper: #faf7f0; --card: #fffdf8; --text: #23202a; --soft: #6f6a76; --line: #e4ddd0;
  --accent: #4b3fa7; --second: #e0684f; --third: #2a9d8f; --warn: #a33a22; --invert: none;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15151b; --card: #1e1e26; --text: #eceae4; --soft: #a09caa; --line: #32323d;
    --accent: #a79cff; --second: #ff9179; --third: #5fd0c1; --warn: #ff9c85;
    --invert: invert(1) hue-rotate(180deg);
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 74rem;
  background: var(--paper); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { font-size: clamp(1.7rem, 5vw, 2.8rem); line-height: 1.1; margin: 0 0 .4rem;
  letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { font-size: 1.45rem; margin: 3.2rem 0 .3rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .3rem 0 1rem; max-width: 44rem; }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: .2em; }
.soft, figcaption, dt { color: var(--soft); }
img { filter: var(--invert); image-rendering: pixelated; display: block; width: 100%; }
img.mean { image-rendering: auto; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: 1.2rem 0 0; }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 2.4rem; margin: 1.6rem 0 0; }
.facts div { display: flex; flex-direction: column-reverse; }
.facts dt { font-size: .85rem; }
.facts dd { margin: 0; font-size: 1.7rem; font-weight: 650; line-height: 1.2;
  font-variant-numeric: tabular-nums; }
.findings { list-style: none; margin: 1.8rem 0 0; padding: 0; display: grid; gap: .45rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); }
.findings li { padding-left: 1.8rem; text-indent: -1.8rem; overflow-wrap: anywhere; }
.findings li::before { content: "•"; display: inline-block; width: 1.8rem; text-indent: .2rem;
  color: var(--soft); font-weight: 700; }
.findings li.good::before { content: "✓"; color: var(--third); }
.findings li.warning::before { content: "!"; color: var(--warn); text-indent: .4rem; }
.wall { display: grid; gap: .7rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(var(--tile), 1fr)); }
.wall a { text-decoration: none; background: var(--card); border: 1px solid var(--line);
  border-radius: .8rem; padding: .5rem .5rem .45rem; text-align: center; line-height: 1.2;
  transition: transform .15s, border-color .15s; }
.wall a:hover, .wall a:focus-visible { transform: translateY(-3px) rotate(-1deg);
  border-color: var(--accent); }
.wall span { display: block; font-size: .85rem; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.card > h3, .class h3 { margin-top: .2rem; }
.axis + h3 { margin-top: .9rem !important; }
.columns { display: grid; gap: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem;
  padding: .9rem 1.1rem; }
.histogram { width: 100%; height: 3.4rem; display: block; fill: var(--accent);
  border-bottom: 1px solid var(--soft); }
.axis { display: flex; justify-content: space-between; font-size: .8rem; color: var(--soft); }
details { background: var(--card); border: 1px solid var(--line); border-radius: .8rem;
  margin: .6rem 0; }
summary { cursor: pointer; padding: .55rem .9rem; display: flex; align-items: center; gap: .8rem;
  font-weight: 600; }
summary::after { content: "+"; margin-left: auto; color: var(--soft); font-weight: 400;
  font-size: 1.3rem; line-height: 1; }
details[open] > summary::after { content: "–"; }
summary img { width: 2.4rem; }
summary img { flex: none; }
summary .soft { font-weight: 400; font-size: .9rem; }
.classes { display: grid; gap: .6rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); }
.classes details { margin: 0; min-width: 0; }
.classes details[open] { grid-column: 1 / -1; }
.inside { padding: .2rem 1.1rem 1.1rem; }
.class { display: grid; gap: 1.4rem; grid-template-columns: minmax(0, 43rem) minmax(12rem, 1fr);
  align-items: start; scroll-margin-top: 5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; font-weight: 400; white-space: nowrap; }
th { color: var(--soft); font-size: .85rem; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
.named { display: flex; align-items: center; gap: 1rem; }
.named a { flex: 0 0 11rem; white-space: normal; overflow-wrap: anywhere; }
td.text { text-align: left; white-space: normal; overflow-wrap: anywhere; }
tr + tr td { border-top: 1px solid var(--line); }
.scroll { overflow-x: auto; }
.bar { display: flex; flex: 1; height: .8rem; border-radius: .2rem; overflow: hidden; }
.bar i { background: var(--accent); }
.bar i:nth-child(2), .key i:nth-of-type(2) { background: var(--second); }
.bar i:nth-child(3), .key i:nth-of-type(3) { background: var(--third); }
.bar i:nth-child(n+4), .key i:nth-of-type(n+4) { background: var(--soft); }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  background: var(--accent); margin: 0 .3rem -.05rem .9rem; }
.pairs { display: grid; gap: .8rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .2rem; text-align: center;
  padding: .8rem .6rem;
  line-height: 1.25; }
.pair span { overflow-wrap: anywhere; font-size: .82rem; }
.pair b { grid-column: 1 / -1; font-weight: 400; color: var(--soft); font-size: .85rem; }
.drawings { display: grid; gap: .8rem; margin-top: .8rem;
  grid-template-columns: repeat(auto-fill, minmax(7.2rem, 1fr)); }
figure { margin: 0; }
figure div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
figcaption { font-size: .75rem; line-height: 1.3; overflow-wrap: anywhere; margin-top: .25rem; }
figcaption b { color: var(--text); display: block; font-size: .85rem; }
footer { margin-top: 4rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 44rem) {
  body { padding: 1.4rem .9rem 3rem; }
  .class { grid-template-columns: 1fr; }
  .facts { gap: .8rem 1.6rem; }
  .facts dd { font-size: 1.35rem; }
  th, td { padding: .25rem .35rem; }
  .named { flex-direction: column; align-items: stretch; gap: .2rem; padding: .3rem 0; }
  .named a, .bar { flex: none; }
}
@media print {
  body { max-width: none; padding: 0; }
  .wall a, .card, details, figure { break-inside: avoid; }
}
"""
