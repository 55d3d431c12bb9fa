'use strict';
// The game: words against the clock, or ten digits without one. The machines say what they see.
(function (scope) {
  const {$, say, seconds, named, make, page: content} = scope.ui;
  const SECONDS = 20, WORDS = 6, GRACE = 3, AGAIN = 400, SPEAK = 1300;  // s; ms
  const DIGITS = [...'0123456789'];

  function shuffled(words) {
    const left = [...words], made = [];
    while (left.length) made.push(...left.splice(Math.floor(Math.random() * left.length), 1));
    return made;
  }

  // The words that as many models know as know any.
  function wordsFor(models) {
    const known = new Map();
    for (const model of models) for (const label of model.labels) known.set(label, (known.get(label) || 0) + 1);
    const most = Math.max(...known.values());
    return [...known.keys()].filter(label => known.get(label) === most);
  }

  const knowDigits = models => models.some(model => DIGITS.every(digit => model.labels.includes(digit)));

  class Game {
    // `page` has pen, guesser, answers and ask(); `ended(round)` is called with each drawing.
    constructor(page, ended) {
      this.page = page; this.ended = ended; this.round = null; this.rounds = []; this.kind = 'free';
      for (const kind of ['free', 'game', 'digits'])
        $(`mode-${kind}`).addEventListener('click', () => this.open(kind));
      $('mode-digits').hidden = !knowDigits(page.guesser.models);
      $('skip').addEventListener('click', () => this.end());
      $('voice').parentElement.hidden = !('speechSynthesis' in scope);
    }

    get timed() { return this.kind === 'game'; }

    // ---- Between the words
    open(kind) {
      this.stop();
      this.kind = kind; this.rounds = [];
      for (const each of ['free', 'game', 'digits'])
        $(`mode-${each}`).setAttribute('aria-pressed', each === kind);
      const {pen, answers} = this.page;
      pen.forget();
      answers.quiet = kind !== 'free';
      answers.only(() => true);
      $('best').textContent = '';
      if (kind === 'free') return this.show('');
      this.words = this.timed ? shuffled(wordsFor(this.page.guesser.models)).slice(0, WORDS) : shuffled(DIGITS);
      this.card(say(`mode_${kind}`), [say(`${kind}_rules`, {n: this.words.length})], 'start',
                () => this.timed ? this.next() : this.begin());
    }

    show(part) {  // of '', 'card', 'round', 'results'
      for (const each of ['card', 'round', 'results']) $(each).hidden = each !== part;
      $('desk').hidden = part === 'card' || part === 'results';
      document.body.dataset.play = part;
      $('gallery').hidden = true;
    }

    card(head, lines, key, act) {
      $('card-title').textContent = head;
      $('card-lines').replaceChildren(...lines.map(line => make('p', '', line)));
      $('go').textContent = say(key);
      $('go').onclick = act;
      this.show('card');
      $('go').focus();
    }

    next() {
      const word = named(this.words[this.rounds.length]), i = this.rounds.length + 1;
      this.card(say('draw_word', {word}), [say('word_of', {i, n: this.words.length}), ...this.told()],
                'go', () => this.begin());
    }

    told() {  // how the last word went
      const last = this.rounds.at(-1);
      if (!last) return [];
      const first = scope.scoring.first(last.hits);
      if (!first.length) return [say('nobody', {word: named(last.word)})];
      const names = first.map(i => this.page.guesser.models[i].name).join(', ');
      return [say('got_it', {name: names, s: seconds(last.hits[first[0]].seconds)})];
    }

    // ---- A word
    begin() {
      const {pen, guesser, answers} = this.page, word = this.words[this.rounds.length];
      pen.forget();
      const hits = guesser.models.map(model => new scope.scoring.Hit(model.labels.includes(word)));
      this.round = {word, hits, number: this.rounds.length, start: performance.now(), until: SECONDS, said: new Set(), spoken: 0};
      $('asked').textContent = say('draw_word', {word: named(word)});
      $('skip').textContent = say(this.timed ? 'skip' : 'done');
      $('clock').hidden = $('left').hidden = !this.timed;
      $('hits').replaceChildren();
      $('speech').textContent = '';
      answers.only(i => hits[i].knows);
      this.show('round');
      this.tick();
      this.timers = [setInterval(() => this.tick(), 100),
                     setInterval(() => { if (pen.strokes.length) this.page.ask(); }, AGAIN)];
      $('board').focus({preventScroll: true});
      $('round').scrollIntoView({block: 'nearest'});
    }

    get passed() { return (performance.now() - this.round.start) / 1000; }

    tick() {
      const left = Math.max(0, this.round.until - this.passed);
      if (!this.timed) return;
      $('clock').value = left / SECONDS;
      $('left').textContent = Math.ceil(left);
      if (!left) this.end();
    }

    // An answer that comes when its time is up counts, too: the server has kept it.
    answered(round, answers, at) {
      const isNow = round === this.round;
      answers.forEach((answer, i) => {
        const model = this.page.guesser.models[i], [number, share] = answer[0] || [];
        if (!answer.length || !round.hits[i].knows) return;
        if (round.hits[i].answered(model.labels[number], share, round.word, at) && this.timed && isNow) {
          $('hits').append(make('li', '', `${model.name} ${seconds(at, 'narrow')}`));
          round.until = Math.min(round.until, this.passed + GRACE);
        }
      });
      if (!isNow) { if (!$('results').hidden) this.table(); return; }
      this.speak();
      if (this.timed && round.hits.every(hit => hit.isRight || !hit.knows)) this.end();
    }

    speak() {
      const round = this.round, now = performance.now();
      if (now - round.spoken < SPEAK) return;
      const isKnown = this.timed && round.hits.some(hit => hit.isRight);
      const [label] = isKnown ? [round.word] : this.page.answers.together(i => round.hits[i].knows)
        .map(one => one.label).filter(one => !round.said.has(one));
      if (!label || isKnown && round.told) return;
      const text = say(isKnown ? 'knows' : round.said.size ? 'sees_or' : 'sees', {label: named(label)});
      round.said.add(label); round.spoken = now; round.told = isKnown;
      $('speech').textContent = text;
      this.aloud(text);
    }

    aloud(text) {
      if (!$('voice').checked || !('speechSynthesis' in scope)) return;
      const spoken = new SpeechSynthesisUtterance(text);
      spoken.lang = scope.ui.language;
      speechSynthesis.cancel();
      speechSynthesis.speak(spoken);
    }

    stop() {
      for (const timer of this.timers || []) clearInterval(timer);
      this.timers = [];
      this.round = null;
    }

    end() {
      const round = this.round, {pen} = this.page;
      if (!round) return;
      pen.end();
      this.stop();
      round.strokes = pen.strokes;
      round.simple = round.strokes.length ? strokes.simplify(round.strokes) : null;
      this.rounds.push(round);
      this.ended(round);
      pen.forget();
      if (this.rounds.length === this.words.length) this.results();
      else if (this.timed) this.next();
      else this.begin();
    }

    // ---- The end
    results() {
      this.show('results');
      const {guesser} = this.page;
      this.table();
      $('own').replaceChildren(...this.rounds.map(round => scope.results.drawing(round, guesser.models, content.gallery || {})));
      $('nearest').hidden = !this.rounds.some(round => (content.gallery || {})[round.word]);
      $('again').onclick = () => this.open(this.kind);
      $('results-title').tabIndex = -1;
      $('results-title').focus();
    }

    table() {
      const {models} = this.page.guesser;
      $('scores').replaceChildren(scope.results.table(this.rounds, models, this.timed));
    }

    translate() {
      if (this.round) $('asked').textContent = say('draw_word', {word: named(this.round.word)});
      else if (!$('results').hidden) this.results();
      else if (this.kind !== 'free') { if (this.rounds.length) this.next(); else this.open(this.kind); }
    }
  }

  scope.Game = Game;
})(window);
