'use strict';
// A guesser that asks the server that the page came from, over a WebSocket.
(function (scope) {
  const FIRST_WAIT = 500, LONGEST_WAIT = 10000, PATIENCE = 15000, TOP = 10;  // ms; classes

  class ByServer {
    constructor(models, tell) {
      this.models = models; this.tell = tell; this.number = 0; this.waits = FIRST_WAIT;
      this.open();
    }

    async why(i, strokes) {
      const {name} = this.models[i];
      return (await send('POST', 'api/why', {strokes, raw: false, models: [name]})).models[name];
    }

    keep(drawing) { return send('POST', 'api/drawings', drawing); }

    forget(session) { return send('DELETE', `api/drawings/${session}`); }

    open() {
      const url = new URL('ws', location.href);
      url.protocol = url.protocol.replace('http', 'ws');
      const socket = this.socket = new WebSocket(url);
      socket.onopen = () => { this.waits = FIRST_WAIT; this.tell(''); this.ask(); };
      socket.onmessage = event => this.answered(JSON.parse(event.data));
      socket.onclose = () => {
        this.tell('offline');
        setTimeout(() => this.open(), this.waits * (.5 + Math.random()));
        this.waits = Math.min(this.waits * 2, LONGEST_WAIT);
      };
    }

    guess(strokes, about) {
      this.question = {seq: ++this.number, strokes, raw: false, top_k: TOP};
      if (about) this.question.keep = about;
      return new Promise((resolve, reject) => {
        const timer = setInterval(() => this.ask(), PATIENCE);
        const settle = act => value => { clearInterval(timer); this.waiting = null; act(value); };
        this.waiting = {resolve: settle(resolve), reject: settle(reject)};
        this.ask();
      });
    }

    ask() {  // now, or as soon as there is a connection
      if (this.waiting && this.socket.readyState === WebSocket.OPEN)
        this.socket.send(JSON.stringify(this.question));
    }

    answered(answer) {
      if (!this.waiting || answer.seq !== this.number) return;  // of an earlier question
      if (answer.error) return this.waiting.reject(new Error(answer.error));
      const places = this.models.map(model => (answer.models[model.name] || []).map(
        ([label, share]) => [model.labels.indexOf(label), share]));
      const isKnown = places.every(top => top.length && top.every(([number]) => number >= 0));
      // The server has other models now, or the same with other classes: what is shown is of the past.
      if (!isKnown || places.length !== Object.keys(answer.models).length) return location.reload();
      this.waiting.resolve(places);
    }
  }

  async function send(method, path, content) {
    const answer = await fetch(path, {method, body: content && JSON.stringify(content)});
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || `${answer.status}`);
    return told;
  }

  scope.makeGuesser = async function (page, tell) {
    const [answer, gallery] = await Promise.all([fetch('api/models'), fetch('api/gallery')]);
    if (!answer.ok) throw new Error(`${answer.status}`);
    if (gallery.ok) page.gallery = await gallery.json();
    const {models, collects} = await answer.json();
    return Object.assign(new ByServer(models, tell), {collects});
  };
})(window);
