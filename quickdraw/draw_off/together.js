'use strict';
// What the pages of the final share: the connection, the clock, a drawing to look at, the table.
(function (scope) {
  const FIRST_WAIT = 400, LONGEST_WAIT = 5000;  // ms
  const SIDE = 1000, LINE = 9 / 304;  // units of the paper; thinner than the pen, which hides details
  const byId = id => document.getElementById(id);
  const words = JSON.parse(byId('words').textContent), classes = JSON.parse(byId('classes').textContent);
  const language = document.documentElement.lang;
  const say = (name, values = {}) =>
    (words[name] || name).replace(/\{(\w+)\}/g, (all, key) => key in values ? values[key] : all);
  // What a class is called here; what is sent and scored is its own name.
  function named(label) {
    const name = label.replaceAll('_', ' ');
    return Object.hasOwn(classes, name) ? classes[name] : name;
  }

  const number = (value, digits = 0) => new Intl.NumberFormat(
    language, {minimumFractionDigits: digits, maximumFractionDigits: digits}).format(value);
  const percent = share => new Intl.NumberFormat(language, {style: 'percent'}).format(share);

  function make(name, text = '', settings = {}) {
    const made = document.createElement(name);
    made.textContent = text;
    return Object.assign(made, settings);
  }

  function set(id, text) {  // only what changed, for those who listen
    const at = byId(id);
    if (at && at.textContent !== text) at.textContent = text;
  }

  const show = (id, is) => { const at = byId(id); if (at) at.hidden = !is; };

  function notice(text) { set('notice', text); show('notice', Boolean(text)); }

  // The secret stays in the fragment: no server's log and no other page sees it.
  const secret = () => location.hash.slice(1);
  for (const link of document.querySelectorAll('a.language')) link.addEventListener('click', () => {
    link.href = link.getAttribute('href').split('#')[0] + location.hash;
  });
  addEventListener('hashchange', () => location.reload());

  class Connection {
    // `hello()` says who we are, each time; `on[kind](message)` hears.
    constructor(hello, on) { this.hello = hello; this.on = on; this.wait = FIRST_WAIT; this.open(); }

    open() {
      const url = new URL('ws', location.href);
      url.protocol = url.protocol.replace('http', 'ws');
      url.hash = '';
      const socket = this.socket = new WebSocket(url);
      socket.onopen = () => this.say(this.hello());
      socket.onmessage = event => this.heard(JSON.parse(event.data));
      socket.onclose = () => {
        if (this.over) return;
        this.welcomed = false;
        if (!this.refusal) notice(say('offline'));
        setTimeout(() => this.open(), this.wait * (.5 + Math.random()));
        this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
      };
    }

    heard(message) {
      if (message.kind === 'refused') {
        this.refusal = !this.welcomed;
        this.over = ['wrong_link', 'elsewhere'].includes(message.word);
        notice(say(message.word));
        clearTimeout(this.timer);
        if (!this.over) this.timer = setTimeout(() => notice(''), 5000);
      } else if (message.kind === 'welcome') {
        this.welcomed = true; this.refusal = false; this.wait = FIRST_WAIT;
        notice('');
      }
      if (this.on[message.kind]) this.on[message.kind](message);
    }

    say(message) {
      if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
    }
  }

  // ---- A drawing
  // What `keep` and `strokes` make of a drawing, and the way from one to another: as contest.py.
  function after(drawing, [whole, points], strokes) {
    if (!points || whole >= drawing.length) return [...drawing.slice(0, whole), ...strokes];
    const part = drawing[whole].map(axis => axis.slice(0, points));
    const [first, ...rest] = strokes.length ? strokes : [[[], [], []]];
    return [...drawing.slice(0, whole), part.map((axis, i) => [...axis, ...first[i]]), ...rest];
  }

  const alike = (a, b, count) => a.every((axis, i) => {
    for (let j = 0; j < count; j++) if (axis[j] !== b[i][j]) return false;
    return true;
  });

  function change(sent, drawing) {
    const both = Math.min(sent.length, drawing.length);
    let whole = 0;
    while (whole < both && sent[whole][0].length === drawing[whole][0].length
           && alike(sent[whole], drawing[whole], sent[whole][0].length)) whole++;
    if (whole === sent.length && whole === drawing.length) return null;
    if (whole < both) {
      const count = sent[whole][0].length;
      if (count <= drawing[whole][0].length && alike(sent[whole], drawing[whole], count)) return {
        keep: [whole, count],
        strokes: [drawing[whole].map(axis => axis.slice(count)), ...drawing.slice(whole + 1)]};
    }
    return {keep: [whole, 0], strokes: drawing.slice(whole)};
  }

  class View {  // of somebody else's drawing
    constructor(canvas) {
      this.canvas = canvas; this.drawing = [];
      new ResizeObserver(() => this.resize()).observe(canvas);
      matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.paint());
    }

    take(message) { this.drawing = after(this.drawing, message.keep, message.strokes); this.paint(); }

    resize() {
      const side = Math.round(this.canvas.getBoundingClientRect().width * devicePixelRatio);
      if (side && side !== this.canvas.width) this.canvas.width = this.canvas.height = side;
      this.paint();
    }

    paint() {
      const brush = this.canvas.getContext('2d'), scale = this.canvas.width / SIDE;
      brush.setTransform(scale, 0, 0, scale, 0, 0);
      brush.clearRect(0, 0, SIDE, SIDE);
      brush.strokeStyle = getComputedStyle(this.canvas).color;
      brush.lineWidth = LINE * SIDE;
      brush.lineCap = brush.lineJoin = 'round';
      for (const [xs, ys] of this.drawing) {
        brush.beginPath();
        brush.moveTo(xs[0], ys[0]);
        if (xs.length === 1) brush.lineTo(xs[0] + .01, ys[0]);
        for (let i = 1; i < xs.length; i++) brush.lineTo(xs[i], ys[i]);
        brush.stroke();
      }
    }
  }

  // ---- The clock: the server says how late it is, and this page counts on.
  class Clock {
    constructor() { setInterval(() => this.paint(), 100); }

    take(round) { this.round = round; this.then = performance.now(); this.paint(); }

    paint() {
      const round = this.round;
      if (!round) return;
      const at = round.at + (round.runs ? performance.now() - this.then : 0);
      const left = Math.max(0, round.of - at);
      set('left', number(Math.ceil(left / 1000)));
      const track = byId('track');
      if (track) track.style.width = `${100 * left / round.of}%`;
      document.body.classList.toggle('hurry', round.runs && left < 5000);
    }
  }

  // ---- The table of the models
  class Board {
    constructor(body, count = Infinity) { this.body = body; this.count = count; this.rows = new Map(); }

    take(state) {
      const word = state.round && state.round.word;
      state.models.slice(0, this.count).forEach((model, place) => {
        if (!this.rows.has(model.id)) this.rows.set(model.id, this.row(model));
        const row = this.rows.get(model.id);
        this.fill(row, model, word, state);
        if (this.body.children[place] !== row.at) this.body.insertBefore(row.at, this.body.children[place] || null);
      });
      while (this.body.children.length > Math.min(state.models.length, this.count))
        this.body.lastChild.remove();
      document.body.classList.toggle('many', state.models.length > 9);
    }

    row(model) {
      const at = make('tr'), cells = {};
      for (const name of ['rank', 'name', 'guess', 'round', 'points'])
        at.append(cells[name] = make(name === 'name' ? 'th' : 'td', '', {className: name}));
      cells.name.scope = 'row';
      cells.text = cells.name.appendChild(make('span', model.name));
      cells.told = cells.name.appendChild(make('small'));
      const bar = cells.guess.appendChild(make('span', '', {className: 'share'}));
      bar.ariaHidden = 'true';
      cells.bar = bar.appendChild(make('i'));
      cells.first = cells.guess.appendChild(make('b'));
      cells.others = cells.guess.appendChild(make('small'));
      return {at, cells};
    }

    fill({at, cells}, model, word, state) {
      const put = (cell, text) => { if (cell.textContent !== text) cell.textContent = text; };
      const [first, ...others] = model.top;
      put(cells.rank, number(model.rank));
      put(cells.points, number(model.points, 1));
      put(cells.round, state.round ? (model.round > 0 ? '+' : '') + number(model.round, 1) : '');
      put(cells.first, first ? `${named(first[0])} ${percent(first[1])}` : say('thinks'));
      put(cells.others, others.map(([name, share]) => `${named(name)} ${percent(share)}`).join(' · '));
      cells.bar.style.width = first ? `${100 * first[1]}%` : '0';
      at.classList.toggle('right', Boolean(first) && first[0] === word);
      at.classList.toggle('hit', model.hit !== null);
      const wrong = first && first[0] !== word && first[1] > state.rules.sure;
      at.classList.toggle('wrong', Boolean(wrong));
      at.classList.toggle('none', !first);
      put(cells.told, model.state !== 'ready' ? say(model.state)
        : state.phase === 'over' ? say('hits_of', {count: number(model.hits), of: number(state.rounds.done)})
        : model.hit !== null ? '✓ ' + say('hit_at', {seconds: number(model.hit / 1000, 1)})
        : wrong ? '! ' + say('sure_wrong') : '');
    }
  }

  function roundName({rounds, round}) {
    const name = rounds.number > rounds.of ? 'round_more' : 'round_of';
    return round ? say(name, {number: number(rounds.done + (round.finished ? 0 : 1)), of: number(rounds.of)}) : '';
  }

  function winners(state) {
    const names = state.models.filter(model => model.rank === 1).map(model => model.name);
    const list = new Intl.ListFormat(language).format(names);
    return say(names.length > 1 ? 'winners' : 'winner', {names: list});
  }

  scope.together = {byId, say, named, number, percent, make, set, show, notice, secret, change, after,
                    Connection, View, Clock, Board, roundName, winners};
})(window);
