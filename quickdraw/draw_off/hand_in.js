'use strict';
// A model is handed in, with the secret of this page's link.
(function () {
  const {byId, say, number, set, secret} = together;
  const headers = {Authorization: `Bearer ${secret()}`};

  // A model is sent to `models`, or named to `runs`; returns what came of it.
  async function send(where, name, body) {
    const query = new URLSearchParams({name, lang: document.documentElement.lang});
    const answer = await fetch(`api/${where}?${query}`, {method: 'POST', body, headers});
    const told = await answer.json();
    if (!answer.ok) return say('refused', {why: told.error});
    const values = {name: told.name, count: number(told.classes), ms: number(told.milliseconds, 1)};
    const without = told.without.length ? ' ' + say('without', {what: told.without.join(', ')}) : '';
    return say('accepted', values) + without;
  }

  function whenSent(form, told, sending) {
    byId(form).addEventListener('submit', async event => {
      event.preventDefault();
      const button = event.target.querySelector('button');
      button.disabled = true;
      set(told, say('checking'));
      try {
        set(told, await sending());
      } catch {
        set(told, say('offline'));
      }
      button.disabled = false;
    });
  }

  whenSent('hand-in', 'told', () => send('models', byId('model-name').value, byId('model-file').files[0]));
  together.handIn = {headers, send, whenSent};
  byId('model-file').addEventListener('change', event => {
    const [file] = event.target.files;
    if (file && !byId('model-name').value) byId('model-name').value = file.name.replace(/\.onnx$/, '').slice(0, 24);
  });
})();
