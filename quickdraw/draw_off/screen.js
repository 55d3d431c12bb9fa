'use strict';
// The big screen: it only looks on.
(function () {
  const {byId, say, named, number, set, show, secret, Connection, View, Clock, Board, roundName, winners} = together;
  const view = new View(byId('view')), clock = new Clock(), board = new Board(byId('models'));

  together.view = view;  // for tests

  function invited({invitation}) {
    show('uninvited', !invitation);
    show('scan', Boolean(invitation));
    set('link', invitation ? invitation.url.replace(/^https?:\/\//, '') : '');
    if (!invitation) return;
    const picture = new DOMParser().parseFromString(invitation.svg, 'image/svg+xml').documentElement;
    picture.setAttribute('role', 'img');
    picture.setAttribute('aria-label', say('scan_label'));
    byId('qr').replaceChildren(document.importNode(picture, true));
  }

  function flash(state) {  // who was first
    const hit = state.models.filter(model => model.hit !== null).sort((a, b) => a.hit - b.hit)[0];
    if (!state.round || state.phase === 'ready') return '';
    if (!hit) return state.round.at ? say('nobody_yet') : '';
    return say('hit_first', {model: hit.name, seconds: number(hit.hit / 1000, 1)});
  }

  function headline(state) {
    const round = state.round;
    if (state.phase === 'lobby') return ['', say('lobby')];
    if (state.phase === 'over') return [say('over'), state.rounds.done ? winners(state) : say('over')];
    if (!round) return [roundName(state), say('next_soon')];
    const who = {ready: 'get_ready', drawing: round.runs ? 'now' : 'waits'}[state.phase];
    const last = state.rounds.done >= state.rounds.of ? 'planned_done' : 'next_soon';
    if (!who) return [say(last), say('ended_round', {word: named(round.word)})];
    return [say(who, {name: round.name}), named(round.word)];
  }

  function told(state) {
    const [who, word] = headline(state), drawn = state.round !== null, over = state.phase === 'over';
    set('who', who);
    set('word', word);
    set('count', state.phase === 'lobby' ? '' : roundName(state));
    set('names', state.names.join(' · '));
    set('flash', over ? '' : flash(state));
    show('live', drawn);
    show('invite', !drawn);
    show('results', over);
    set('table-title', say(over ? 'standings' : 'guesses'));
    document.querySelector('.clock').hidden = !['ready', 'drawing'].includes(state.phase);
    document.querySelector('.table').hidden = state.phase === 'lobby';
    document.querySelector('.track').hidden = state.phase !== 'drawing';
    document.body.dataset.phase = state.phase;
    clock.take(state.round);
    board.take(state);
  }

  new Connection(() => ({role: 'screen', code: secret()}), {
    welcome: invited, state: told, ink: message => view.take(message)});
})();
