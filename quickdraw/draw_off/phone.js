'use strict';
// A player's phone: join, wait, draw when it is one's turn.
(function () {
  const {byId, say, named, set, show, secret, change, after, Connection, View, Clock, Board, roundName, winners} = together;
  const EVERY = 100;  // ms between two messages while drawing
  const view = new View(byId('view')), clock = new Clock(), board = new Board(byId('models'), 5);
  const pen = new Pen(byId('board'), () => later());
  const kept = `quickdraw-player-${secret()}`;
  together.pen = pen;  // for tests
  let me = '', name = '', state = null, server = [], round = 0, timer = null;

  const mine = () => state && state.round && state.round.player === me && !state.round.finished;

  function later() {
    show('hint', !pen.strokes.length);
    byId('undo').disabled = byId('clear').disabled = !pen.strokes.length;
    if (timer === null) timer = setTimeout(() => { timer = null; send(); }, EVERY);
  }

  function send() {
    if (!mine() || state.phase !== 'drawing' || !connection.welcomed) return;
    const rounded = pen.strokes.map(stroke => stroke.map(axis => axis.map(v => Math.round(v * 10) / 10)));
    const found = change(server, rounded);
    if (!found) return;
    connection.say({kind: 'ink', round: state.round.number, ...found});
    server = rounded;
  }

  function fresh(strokes) {  // another round, or the page was loaded anew within one
    pen.stroke = null;
    pen.history = [strokes];
    pen.at = 0;
    pen.start = performance.now();
    pen.show();
    show('hint', !strokes.length);
    byId('undo').disabled = byId('clear').disabled = !strokes.length;
  }

  function inked(message) {
    view.take(message);
    server = view.drawing;
    if (!mine()) return;
    if (!pen.strokes.length) {
      fresh(server);
      const last = Math.max(0, ...server.flatMap(stroke => stroke[2]));
      pen.start = performance.now() - last;  // times go on
    } else later();  // what the server has not heard yet
  }

  function told(now) {
    state = now;
    if (!mine() && view.drawing !== server) { view.drawing = server; view.paint(); }  // one's own
    if (state.round && state.round.number !== round) { round = state.round.number; server = view.drawing = []; view.paint(); fresh([]); }
    const drawing = mine() && state.phase === 'drawing', over = state.phase === 'over';
    show('turn', mine());
    show('start', mine() && state.phase === 'ready');
    show('pad', drawing);
    show('join', !me && !over);
    show('watch', Boolean(state.round) && !mine() && !over);
    show('table', Boolean(state.models.length) && !drawing && Boolean(state.round));
    show('waiting', Boolean(me) && !mine() || over);
    set('word', mine() ? named(state.round.word) : '');
    set('waiting', over ? (state.rounds.done ? winners(state) : say('over')) : say('wait_turn'));
    set('head', me ? say('hello', {name}) : say('phone'));
    if (state.round) {
      const who = {ready: 'get_ready', drawing: state.round.runs ? 'now' : 'waits'}[state.phase];
      set('watch-title', who ? say(who, {name: state.round.name}) : say('ended_round', {word: named(state.round.word)}));
      set('watch-word', who ? `${roundName(state)} · ${named(state.round.word)}` : roundName(state));
    }
    set('table-title', say(over ? 'standings' : 'guesses'));
    document.body.classList.toggle('drawing-now', Boolean(drawing));
    document.body.dataset.phase = state.phase;
    clock.take(state.round);
    board.take(state);
  }

  const connection = new Connection(
    () => ({role: 'player', code: secret(), token: remembered()}), {
      welcome(message) { me = message.player; name = message.name || name; server = view.drawing = []; later(); },
      joined(message) {
        me = message.player; name = message.name;
        try { localStorage.setItem(kept, message.token); } catch { /* private: until the page is closed */ }
        token = message.token;
        if (state) told(state);
      },
      refused(message) { if (message.word === 'out_of_step') { server = []; view.drawing = []; later(); } },
      state: told, ink: inked,
    });
  let token = '';

  function remembered() {
    try { return token || localStorage.getItem(kept) || ''; } catch { return token || ''; }
  }

  byId('join').addEventListener('submit', event => {
    event.preventDefault();
    connection.say({kind: 'join', name: byId('name').value});
  });
  byId('start').addEventListener('click', () => connection.say({kind: 'start'}));
  byId('done').addEventListener('click', () => { send(); connection.say({kind: 'done', round}); });
  byId('undo').addEventListener('click', () => pen.undo());
  byId('clear').addEventListener('click', () => pen.clear());
})();
