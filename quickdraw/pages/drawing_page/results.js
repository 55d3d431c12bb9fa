'use strict';
// What the game shows at its end: each model's score, one's own drawings, and those most like them.
(function (scope) {
  const {say, percent, seconds, named, make} = scope.ui;
  const NEAREST = 3;

  function cell(kind, text, name = '') {
    const made = make(kind, name, text);
    if (kind === 'th') made.scope = 'col';
    return made;
  }

  // A row for each model, a column for each word: seconds in the game, the guess for digits.
  function table(rounds, models, timed) {
    const made = make('table', 'numbers'), head = make('tr'), body = make('tbody');
    head.append(cell('th', say('model')), cell('th', say('guessed')));
    if (timed) head.append(cell('th', say('first')));
    head.append(...rounds.map(round => cell('th', named(round.word))));
    models.forEach((model, i) => {
      const known = rounds.filter(round => round.hits[i].knows);  // another word is nobody's fault
      if (!known.length) return;
      const row = make('tr'), name = cell('th', model.name);
      name.scope = 'row';
      const isRight = round => timed ? round.hits[i].isRight : (round.hits[i].guess || [])[0] === round.word;
      row.append(name, cell('td', `${rounds.filter(isRight).length}/${known.length}`));
      if (timed) row.append(cell('td', rounds.filter(round => scope.scoring.first(round.hits).includes(i)).length));
      row.append(...rounds.map(round => cell('td', shown(round.hits[i], timed, isRight(round)), isRight(round) ? 'right' : 'wrong')));
      body.append(row);
    });
    made.append(make('thead'), body);
    made.tHead.append(head);
    return made;
  }

  function shown(hit, timed, isRight) {
    if (!hit.knows) return '?';
    if (timed) return hit.isRight ? `✓ ${seconds(hit.seconds, 'narrow')}` : '–';
    return hit.guess ? `${isRight ? '✓' : '✗'} ${named(hit.guess[0])} ${percent(hit.guess[1])}` : '–';
  }

  function drawing(round, models, gallery) {
    const made = make('article', 'kept'), own = make('canvas'), row = make('div', 'nearest');
    made.append(make('h3', '', named(round.word)), own, row);
    own.width = own.height = 256;
    own.setAttribute('role', 'img');
    own.setAttribute('aria-label', say('your_drawing', {word: named(round.word)}));
    if (!round.simple) return made;
    requestAnimationFrame(() => scope.Pen.paint(own, round.strokes));  // its colour is the page's
    const pictures = gallery[round.word], model = models.find(each => each.inputs.image && each.labels.includes(round.word));
    if (pictures && model) scope.nearest.find(round.simple, model, pictures, NEAREST)
      .then(found => row.replaceChildren(...found.map(scope.nearest.image)));
    return made;
  }

  scope.results = {table, drawing};
})(window);
