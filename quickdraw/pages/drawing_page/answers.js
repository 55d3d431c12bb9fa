'use strict';
// What the models answer, as bars; what a guess rests on; the pictures that the models see.
(function (scope) {
  const {$, say, percent, named, make, notice} = scope.ui;
  const ORDER = 500, SPEAK = 1000, SURE = .4, ROWS = 5;  // ms; a probability; bars

  function paint(canvas, picture, channels) {
    const brush = canvas.getContext('2d'), image = brush.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < canvas.width * canvas.height; i++)
      for (let j = 0; j < 4; j++)
        image.data[4 * i + j] = j === 3 ? 255 : picture[channels * i + (channels === 3 ? j : 0)];
    brush.putImageData(image, 0, 0);
  }

  class Answer {  // of one model
    constructor(model, number, ask) {
      this.model = model; this.number = number; this.rows = new Map();
      this.box = make('article', 'model'); this.head = make('h3');
      this.name = make('span'); this.bars = make('div');
      this.button = make('button'); this.button.type = 'button';
      this.button.addEventListener('click', () => ask(this));
      this.map = make('canvas', 'why'); this.legend = make('p', 'soft');
      this.legend.id = `why-${number}`;
      this.map.setAttribute('role', 'img');
      this.map.setAttribute('aria-labelledby', this.legend.id);
      this.head.append(this.name);
      if (Object.keys(model.inputs).join() === 'image') this.head.append(this.button);
      this.box.append(this.head, this.bars, this.map, this.legend);
      this.label();
    }

    label() {
      this.name.textContent = this.model.name;
      this.button.textContent = say('why');
      this.button.setAttribute('aria-label', `${say('why')} ${this.model.name}`);
      this.forget();
    }

    forget() { this.map.hidden = this.legend.hidden = true; }

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
      const label = named(this.model.labels[number]);
      const row = make('div', 'guess'), name = make('span', '', label), track = make('div', 'track');
      const value = make('span'), bar = make('i');
      name.title = label;
      track.setAttribute('role', 'meter');
      track.setAttribute('aria-label', label);
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

    // The picture, and in orange what the likeliest guess rests on.
    explain({label, drops}, simple) {
      const size = this.model.image_size, map = this.map;
      map.hidden = this.legend.hidden = false;
      map.width = map.height = size;
      this.legend.textContent = say('why_map', {label: named(label)});
      paint(map, strokes.picture(simple, this.model), this.model.channels);
      const heat = new Float32Array(size * size), times = new Float32Array(size * size);
      strokes.patches(size).forEach(([x, y, patch], i) => {
        for (let row = y; row < y + patch; row++) for (let column = x; column < x + patch; column++) {
          heat[row * size + column] += Math.max(drops[i], 0); times[row * size + column]++;
        }
      });
      const shares = heat.map((sum, i) => sum / (times[i] || 1)), most = Math.max(...shares, .02);
      const brush = map.getContext('2d');
      shares.forEach((share, i) => {
        brush.fillStyle = `rgb(255 120 0 / ${.75 * share / most})`;
        brush.fillRect(i % size, Math.floor(i / size), 1, 1);
      });
    }
  }

  class Answers {  // of all models
    constructor(guesser, drawing) {
      this.guesser = guesser; this.last = []; this.ordered = this.spoken = 0; this.waiting = null;
      this.quiet = false;  // the game speaks itself
      const why = async one => {
        const simple = strokes.simplify(drawing());
        try { one.explain(await guesser.why(one.number, simple), simple); }
        catch (error) { notice(error.message); }
      };
      this.shown = guesser.models.map((model, i) => new Answer(model, i, why));
      $('models').replaceChildren(...this.shown.map(one => one.box));
    }

    label() { this.shown.forEach(one => one.label()); this.update(true); }

    forget() { for (const one of this.shown) one.forget(); }

    show(last) { this.last = last; this.update(!last.length); }

    // Bars keep their places for half a second; what changes meanwhile is how long they are.
    update(again = false) {
      const now = performance.now(), wait = this.ordered + ORDER - now;
      again ||= wait <= 0;
      if (again) this.ordered = now;
      else this.later(wait, true);
      this.shown.forEach((one, i) => one.show(this.last[i] || [], again));
      if (this.quiet) return;
      const best = this.surest(), said = $('best').textContent;
      const text = !this.last.length ? '' : best ? say('guess', {label: named(best.label)}) : say('not_sure');
      if (said === text) return;
      if (text && now - this.spoken < SPEAK) return this.later(SPEAK - (now - this.spoken));
      this.spoken = now;
      $('best').textContent = text;
      this.gallery(best);
    }

    later(wait, again = false) {
      this.waiting ||= setTimeout(() => { this.waiting = null; this.update(again); }, wait);
    }

    // Of each class the mean of what those models think that know it, the likeliest first.
    together(counts = () => true) {
      const shares = new Map(), models = this.guesser.models.filter((_, i) => counts(i));
      const known = label => models.filter(model => model.labels.includes(label)).length;
      this.last.forEach((answer, i) => { if (counts(i)) for (const [number, share] of answer) {
        const label = this.guesser.models[i].labels[number];
        shares.set(label, (shares.get(label) || 0) + share);
      } });
      return [...shares].map(([label, share]) => ({label, share: share / known(label)}))
        .sort((a, b) => b.share - a.share);
    }

    only(counts) { this.shown.forEach((one, i) => { one.box.hidden = !counts(i); }); }

    surest() {
      const [best] = this.together();
      return best && best.share >= SURE ? best : null;
    }

    gallery(best) {
      const pictures = best && (scope.ui.page.gallery || {})[best.label];
      $('gallery').hidden = !pictures;
      if (!pictures) return;
      $('gallery-title').textContent = say('gallery', {label: named(best.label)});
      $('drawings').replaceChildren(...pictures.slice(0, 12).map(scope.nearest.image));
    }

    // What the models see: one picture for each way to draw it.
    see(simple) {
      const ways = new Map();
      for (const model of this.guesser.models) if (model.inputs.image) {
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
      $('seen-title').parentElement.hidden = !ways.size;
    }
  }

  scope.Answers = Answers;
  scope.paint = paint;
})(window);
