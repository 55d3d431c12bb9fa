'use strict';
// The organiser's desk: set up, then round after round.
(function () {
  const {byId, say, named, number, make, set, show, notice, secret, Connection, View, Clock, Board, roundName, winners} = together;
  const view = new View(byId('view')), clock = new Clock(), board = new Board(byId('models'));
  const left = new Set(), unwanted = new Set();  // models and words that are not chosen
  let state = null, shown = '', offered = false;

  const chosen = () => state.entered.filter(model => !left.has(model.id));

  function common() {
    const every = chosen().map(model => new Set(model.labels));
    if (!every.length) return [];
    return [...every[0]].filter(word => every.every(known => known.has(word)))
      .sort((a, b) => named(a).localeCompare(named(b), document.documentElement.lang));
  }

  function choice(text, more, is, change) {
    const item = make('li'), label = item.appendChild(make('label'));
    const box = label.appendChild(make('input', '', {type: 'checkbox', checked: is}));
    label.append(' ' + text + ' ', make('small', more));
    box.addEventListener('change', () => { change(box.checked); setUp(); });
    return item;
  }

  const put = (set, key, is) => { if (is) set.delete(key); else set.add(key); };

  function setUp() {
    const models = state.entered.map(model => {
      const more = `${say('by_' + model.by)}, ${say('classes', {count: number(model.labels.length)})}`;
      const item = choice(model.name, more, !left.has(model.id), is => put(left, model.id, is));
      const remove = item.appendChild(make('button', say('withdraw'), {type: 'button', className: 'plain'}));
      remove.ariaLabel = `${say('withdraw')}: ${model.name}`;
      remove.addEventListener('click', () => connection.say({kind: 'withdraw', model: model.id}));
      return item;
    });
    const known = common();
    const focus = document.activeElement, at = focus && focus.closest ? focus.closest('li') : null;
    const list = at && at.parentElement, place = at ? [...list.children].indexOf(at) : 0;
    byId('entered').replaceChildren(...models);
    byId('drawn').replaceChildren(...known.map(
      word => choice(named(word), '', !unwanted.has(word), is => put(unwanted, word, is))));
    set('words-title', say('choose_words', {count: number(known.length)}));
    show('no-models', !models.length);
    if (list && list.children[place]) list.children[place].querySelector('input').focus();
  }

  function people() {
    const items = state.everybody.map(player => {
      const item = make('li', player.name + ' ', {className: player.here ? '' : 'away'});
      const turns = player.turns ? ', ' + say('turns', {count: number(player.turns)}) : '';
      item.append(make('small', say(player.here ? 'present' : 'away') + turns));
      return item;
    });
    byId('players').replaceChildren(...items);
    set('here', say('here', {count: number(state.here)}));
  }

  function told(now) {
    state = now;
    const {phase, round} = state, going = phase === 'ready' || phase === 'drawing';
    show('setup', phase === 'lobby');
    show('adding', phase === 'lobby');
    show('steering', phase !== 'lobby' && phase !== 'over');
    show('table', phase !== 'lobby');
    show('round', Boolean(round) && phase !== 'over');
    document.querySelector('.clock').hidden = !going;
    show('next', phase === 'idle');
    show('start', phase === 'ready');
    show('finish', phase === 'drawing');
    show('skip', going || phase === 'idle' && state.rounds.done > 0);
    show('repeat', going || phase === 'idle' && state.rounds.done > 0);
    set('skip', say(going ? 'skip' : 'take_back'));
    set('repeat', say(going ? 'repeat' : 'repeat_last'));
    set('state', headline());
    set('round-title', round ? `${roundName(state)}: ${named(round.word)} (${round.name})` : '');
    if (state.trouble) notice(`${say('trouble')} ${state.trouble}`);
    const looks = JSON.stringify([state.entered, phase]), crowd = JSON.stringify(state.everybody);
    if (phase === 'lobby' && !offered) { offered = true; offerRuns().catch(() => {}); }
    if (phase === 'lobby' && looks !== shown) { shown = looks; setUp(); }
    if (crowd !== told.crowd) { told.crowd = crowd; people(); }
    document.body.dataset.phase = phase;
    clock.take(round);
    board.take(state);
  }

  function headline() {
    const {phase, round} = state;
    if (phase === 'lobby') return say('setup');
    if (phase === 'over') return `${say('over')}. ${state.rounds.done ? winners(state) : ''}`;
    if (phase === 'idle') return round ? say('ended_round', {word: named(round.word)}) : roundName(state);
    const name = phase === 'ready' ? 'get_ready' : round.runs ? 'now' : 'waits';
    return say(name, {name: round.name});
  }

  function links({invitation}) {
    const all = {link_play: invitation.url, link_screen: invitation.screen,
                 link_hand_in: invitation.hand_in, link_results: invitation.results};
    byId('links').replaceChildren(...Object.entries(all).flatMap(([name, url]) => {
      const settings = {className: name}, value = make('dd', '', settings);
      value.append(make('a', url, {href: url, target: '_blank', rel: 'noopener'}));
      return [make('dt', say(name), settings), value];
    }));
    const {hostname} = new URL(invitation.url);
    show('unreachable', /^(localhost|127\.|\[::1\])/.test(hostname));
  }

  const connection = new Connection(() => ({role: 'organiser', token: secret()}), {
    welcome: links, state: told, ink: message => view.take(message)});

  for (const id of ['next', 'start', 'finish', 'skip', 'repeat', 'end'])
    byId(id).addEventListener('click', () => connection.say({kind: id}));
  byId('setup').addEventListener('submit', event => {
    event.preventDefault();
    const words = common().filter(word => !unwanted.has(word));
    if (!words.length) return notice(say('words_needed'));
    connection.say({kind: 'begin', models: chosen().map(model => model.id), words,
                    rounds: Number(byId('rounds').value)});
  });
  // Runs that the server was told of at its start; without any the form stays hidden.
  async function offerRuns() {
    const {headers, send, whenSent} = together.handIn;
    const answer = await fetch('api/runs', {headers});
    const names = answer.ok ? await answer.json() : [];
    byId('run').replaceChildren(...names.map(name => make('option', name, {value: name})));
    show('add-run', names.length > 0);
    whenSent('add-run', 'run-told', () => send('runs', byId('run').value));
  }
  byId('all-words').addEventListener('click', () => { unwanted.clear(); setUp(); });
  byId('no-words').addEventListener('click', () => { common().forEach(word => unwanted.add(word)); setUp(); });
})();
