'use strict';
// The drawing page: what is drawn goes to a guesser, in the browser or on a server, and its answers
// are shown. A guesser has `models`, the descriptions of export.json, and
// `guess(strokes)`, a promise of [[class, probability], …] of each model, the likeliest first.
(function (scope) {
  const EVERY = 200, ORDER = 500, SPEAK = 1000, SURE = .4, ROWS = 5;  // ms; a probability; bars
  const $ = id => document.getElementById(id), json = id => JSON.parse($(id).textContent);
  const words = json('words'), page = json('page');
  let language = choose(), guesser = null, pen = null;

  // ---- Words
  function choose() {
    const asked = [new URLSearchParams(location.search).get('lang'), ...navigator.languages];
    return asked.map(one => (one || '').slice(0, 2).toLowerCase()).find(one => words[one]) || 'en';
  }

  function say(key, values = {}) {
    let text = words[language][key];
    if (typeof text === 'object') text = text[new Intl.PluralRules(language).select(values.n)] || text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  const percent = value => new Intl.NumberFormat(language, {style: 'percent'}).format(value);

  function translate() {
    document.documentElement.lang = language;
    document.title = say('title');
    for (const each of document.querySelectorAll('[data-word]')) each.textContent = say(each.dataset.word);
    $('privacy').textContent = say(page.guesser === 'server' ? 'privacy_server' : 'privacy_browser');
    if (guesser) { about(); shown.forEach(one => one.label()); update(true); }
  }

  // ---- Guesses
  const shown = [];  // a model's part of the page each
  let last = [], ordered = 0, spoken = 0, waiting = null;

  class Answer {
    constructor(model, number) {
      this.model = model; this.number = number; this.rows = new Map();
      this.box = make('article', 'model'); this.head = make('h3'); this.time = make('span', 'soft');
      this.name = make('span'); this.bars = make('div');
      this.button = make('button'); this.button.type = 'button';
      this.button.addEventListener('click', () => why(this));
      this.map = make('canvas', 'why'); this.map.hidden = true;
      this.map.setAttribute('role', 'img');
      this.head.append(this.name, this.time);
      if (Object.keys(model.inputs).join() === 'image') this.head.append(this.button);
      this.box.append(this.head, this.bars, this.map);
      $('models').append(this.box);
      this.label();
    }

    label() {
      this.name.textContent = this.model.name;
      this.button.textContent = say('why');
      this.button.setAttribute('aria-label', `${say('why')} ${this.model.name}`);
    }

    show(answer, again) {
      this.button.disabled = !answer.length;
      const top = answer.slice(0, ROWS);
      if (again) {
        this.rows.clear();
        this.bars.replaceChildren(...top.map(([number]) => this.row(number)));
      }
      const now = new Map(answer);
      for (const [number, row] of this.rows) row.set(now.get(number) || 0);
    }

    row(number) {
      const row = make('div', 'guess'), name = make('span'), track = make('div', 'track');
      const value = make('span'), bar = make('i');
      name.textContent = name.title = this.model.labels[number];
      track.setAttribute('role', 'meter');
      track.setAttribute('aria-label', this.model.labels[number]);
      track.setAttribute('aria-valuemin', '0'); track.setAttribute('aria-valuemax', '100');
      track.append(bar); row.append(name, track, value);
      this.rows.set(number, {set(share) {
        bar.style.width = `${100 * share}%`;
        value.textContent = percent(share);
        track.setAttribute('aria-valuenow', Math.round(100 * share));
        track.setAttribute('aria-valuetext', percent(share));
      }});
      return row;
    }
  }

  // The picture, and in the accent's colour what the likeliest guess rests on.
  async function why(one) {
    const simple = strokes.simplify(pen.strokes), size = one.model.image_size;
    try {
      const {label, drops} = await guesser.why(one.number, simple);
      one.map.hidden = false;
      one.map.width = one.map.height = size;
      one.map.setAttribute('aria-label', say('why_map', {label}));
      one.map.title = say('why_map', {label});
      paint(one.map, strokes.picture(simple, one.model), one.model.channels);
      const heat = new Float32Array(size * size), times = new Float32Array(size * size);
      strokes.patches(size).forEach(([x, y, patch], i) => {
        for (let row = y; row < y + patch; row++) for (let column = x; column < x + patch; column++) {
          heat[row * size + column] += Math.max(drops[i], 0); times[row * size + column]++;
        }
      });
      const shares = heat.map((sum, i) => sum / (times[i] || 1)), most = Math.max(...shares, .02);
      const brush = one.map.getContext('2d');
      shares.forEach((share, i) => {
        brush.fillStyle = `rgb(255 120 0 / ${.75 * share / most})`;
        brush.fillRect(i % size, Math.floor(i / size), 1, 1);
      });
    } catch (error) { notice(error.message); }
  }

  function make(kind, name = '') {
    const element = document.createElement(kind);
    if (name) element.className = name;
    return element;
  }

  // Bars keep their places for half a second; what changes meanwhile is how long they are.
  function update(again = false) {
    const now = performance.now(), wait = ordered + ORDER - now;
    again ||= wait <= 0;
    if (again) ordered = now;
    else if (!waiting) waiting = setTimeout(() => { waiting = null; update(true); }, wait);
    shown.forEach((one, i) => one.show(last[i] || [], again));
    if (!last.length) { $('best').textContent = ''; $('gallery').hidden = true; return; }
    const best = surest(), text = best ? say('guess', {label: best.label}) : say('not_sure');
    if ($('best').textContent !== text && now - spoken >= SPEAK) {
      spoken = now;
      $('best').textContent = text;
      gallery(best);
    } else if ($('best').textContent !== text && !waiting)
      waiting = setTimeout(() => { waiting = null; update(); }, SPEAK - (now - spoken));
  }

  // The class that all models together think likeliest, if they are sure enough.
  function surest() {
    const shares = new Map();
    last.forEach((answer, i) => answer.forEach(([number, share]) => {
      const label = guesser.models[i].labels[number];
      shares.set(label, (shares.get(label) || 0) + share / last.length);
    }));
    const [label, share] = [...shares].reduce((a, b) => b[1] > a[1] ? b : a, ['', 0]);
    return share >= SURE ? {label, share} : null;
  }

  function gallery(best) {
    const pictures = best && (page.gallery || {})[best.label];
    $('gallery').hidden = !pictures;
    if (!pictures) return;
    $('gallery-title').textContent = say('gallery', {label: best.label});
    $('drawings').replaceChildren(...pictures.map(data => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      image.alt = '';
      return image;
    }));
  }

  // ---- Asking: one question at a time; of those that come meanwhile the latest is asked next.
  let busy = false, next = false, asked = 0, timer = null;

  function drawn(up) {
    $('hint').hidden = pen.strokes.length > 0;
    $('undo').disabled = !pen.canUndo; $('redo').disabled = !pen.canRedo;
    $('clear').disabled = !pen.strokes.length;
    $('count').textContent = pen.strokes.length ? say('strokes', {n: pen.strokes.length}) : '';
    if (!guesser) return;
    clearTimeout(timer);
    if (up) ask();
    else timer = setTimeout(ask, Math.max(0, asked + EVERY - performance.now()));
  }

  async function ask() {
    clearTimeout(timer);
    if (busy) { next = true; return; }
    for (const one of shown) one.map.hidden = true;
    if (!pen.strokes.length) { last = []; see(null); update(true); return; }
    busy = true; asked = performance.now();
    const simple = strokes.simplify(pen.strokes);
    see(simple);
    try {
      const answers = await guesser.guess(simple);
      if (pen.strokes.length) { last = answers; update(); }
      scope.answered = {answers, strokes: simple, ms: performance.now() - asked};
    } catch (error) { notice(error.message); }
    busy = false;
    if (next) { next = false; ask(); }
  }

  // ---- What the models see: one picture for each way to draw it
  function see(simple) {
    const ways = new Map();
    for (const model of guesser.models) if (model.inputs.image) {
      const how = JSON.stringify([model.image_size, model.channels, model.rendering]);
      ways.set(how, [...ways.get(how) || [], model]);
    }
    $('seen').replaceChildren(...[...ways.values()].map(models => {
      const figure = make('figure'), canvas = make('canvas'), caption = make('figcaption');
      const size = canvas.width = canvas.height = models[0].image_size;
      canvas.setAttribute('role', 'img'); canvas.setAttribute('aria-label', say('seen'));
      if (simple) paint(canvas, strokes.picture(simple, models[0]), models[0].channels);
      caption.textContent = ways.size > 1 ? models.map(model => model.name).join(', ') : `${size} × ${size}`;
      figure.append(canvas, caption);
      return figure;
    }));
    document.getElementById('seen-title').parentElement.hidden = !ways.size;
  }

  function paint(canvas, picture, channels) {
    const brush = canvas.getContext('2d'), image = brush.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++)
      for (let j = 0; j < 4; j++)
        image.data[4 * i + j] = j === 3 ? 255 : picture[channels * i + (channels === 3 ? j : 0)];
    brush.putImageData(image, 0, 0);
  }

  // ---- The page
  function notice(text) { $('notice').textContent = text; $('notice').hidden = !text; }

  function about() {
    const other = guesser.models.filter(model => model.rendering.style === 'other').map(model => model.name);
    $('about').textContent = other.length ? say('other_style', {names: other.join(', ')}) : '';
  }

  function keys(event) {
    const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
    if (control && key === 'z' && !event.shiftKey) pen.undo();
    else if (control && (key === 'y' || key === 'z')) pen.redo();
    else if (key === 'escape') pen.clear();
    else return;
    event.preventDefault();
  }

  async function start() {
    $('language').replaceChildren(...Object.keys(words).map(code => {
      const option = make('option');
      option.value = code; option.lang = code; option.textContent = words[code].name;
      return option;
    }));
    $('language').value = language;
    $('language').addEventListener('change', () => { language = $('language').value; translate(); drawn(true); });
    translate();
    pen = scope.pen = new scope.Pen($('board'), drawn);
    for (const act of ['undo', 'redo', 'clear']) $(act).addEventListener('click', () => pen[act]());
    document.addEventListener('keydown', keys);
    notice(say('loading'));
    try {
      guesser = await scope.makeGuesser(page, key => notice(key ? say(key) : ''));
      guesser.models.forEach((model, i) => shown.push(new Answer(model, i)));
      notice(''); about(); see(null); drawn(true);
      document.body.dataset.ready = 'yes';
    } catch (error) { notice(`${say('failed')} ${error.message}`); document.body.dataset.ready = 'no'; }
  }

  start();
})(window);
