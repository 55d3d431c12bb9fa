'use strict';
// The drawing page: what is drawn goes to a guesser, in the browser or on a server, and its answers
// are shown. A guesser has `models`, the descriptions of export.json, and
// `guess(strokes, about)`, a promise of [[class, probability], …] of each model, the likeliest first.
(function (scope) {
  const EVERY = 200;  // ms
  const {$, say, notice} = scope.ui;
  let guesser = null, pen = null, answers = null, game = null, collecting = null;

  // ---- Asking: one question at a time; of those that come meanwhile the latest is asked next.
  let busy = false, next = false, failed = false, asked = 0, timer = null;

  function drawn(up) {
    $('hint').hidden = pen.strokes.length > 0;
    $('undo').disabled = !pen.canUndo; $('redo').disabled = !pen.canRedo;
    $('clear').disabled = $('keep').disabled = !pen.strokes.length;
    $('count').textContent = pen.strokes.length ? say('strokes', {n: pen.strokes.length}) : '';
    if (!answers) return;
    clearTimeout(timer);
    if (up) ask();
    else timer = setTimeout(ask, Math.max(0, asked + EVERY - performance.now()));
  }

  async function ask() {
    clearTimeout(timer);
    if (busy) { next = true; return; }
    answers.forget();
    if (!pen.strokes.length) { answers.see(null); answers.show([]); collecting.number++; return; }
    busy = true; asked = performance.now();
    const simple = strokes.simplify(pen.strokes), round = game.round, seconds = round ? Math.round(game.passed * 100) / 100 : null;
    answers.see(simple);
    try {
      const found = await guesser.guess(simple, collecting.about(round && round.word, seconds));
      if (failed) notice('');
      failed = false;
      if (pen.strokes.length && game.round === round) answers.show(found);
      if (round) game.answered(round, found, seconds);
      scope.answered = {answers: found, strokes: simple, ms: performance.now() - asked};
    } catch (error) { failed = true; notice(error.message); }
    busy = false;
    if (next) { next = false; ask(); }
  }

  // ---- The page
  function about() {
    const named = test => guesser.models.filter(test).map(model => model.name).join(', ');
    const drawn = style => named(model => model.inputs.image && model.rendering.style === style);
    const lines = [['other_style', drawn('other')], ['mnist_style', drawn('mnist')],
                   ['by_keras', named(model => model.runtime === 'keras')]];
    $('about').textContent = lines.filter(([, names]) => names).map(([key, names]) => say(key, {names})).join(' ');
  }

  function keys(event) {
    const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey;
    if ($('desk').hidden) return;
    if (control && key === 'z' && !event.shiftKey) pen.undo();
    else if (control && (key === 'y' || key === 'z')) pen.redo();
    else if (key === 'escape') pen.clear();
    else return;
    event.preventDefault();
  }

  function translated() {
    if (!collecting) return;
    about();
    answers.label();
    collecting.translate();
    game.translate();
    drawn(true);
  }

  async function start() {
    scope.ui.offer();
    scope.ui.whenTranslated(translated);
    scope.ui.translate();
    pen = scope.pen = new scope.Pen($('board'), drawn);
    for (const act of ['undo', 'redo', 'clear']) $(act).addEventListener('click', () => pen[act]());
    document.addEventListener('keydown', keys);
    notice(say('loading'));
    try {
      guesser = await scope.makeGuesser(scope.ui.page, key => notice(key ? say(key) : ''));
      answers = new scope.Answers(guesser, () => pen.strokes);
      collecting = new scope.Collecting(guesser, pen);
      game = scope.game = new scope.Game({pen, guesser, answers, ask}, round => collecting.keep(round.strokes, round.word));
      notice(''); about(); collecting.show(); answers.see(null); drawn(true);
      document.body.dataset.ready = 'yes';
    } catch (error) { notice(`${say('failed')} ${error.message}`); document.body.dataset.ready = 'no'; }
  }

  start();
})(window);
