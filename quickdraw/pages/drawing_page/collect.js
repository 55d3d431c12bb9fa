'use strict';
// Drawings that the server keeps for training, if it was asked to and whoever draws agrees.
(function (scope) {
  const {$, say, named, make, notice} = scope.ui;
  const KEY = 'quickdraw-session';

  class Collecting {
    constructor(guesser, pen) {
      this.guesser = guesser; this.pen = pen; this.number = 0; this.count = 0;
      this.session = stored();
      $('collect').hidden = !guesser.collects;
      if (!guesser.collects) return;
      $('agree').addEventListener('click', () => this.agree());
      $('refuse').addEventListener('click', () => { $('collect').hidden = true; });
      $('forget').addEventListener('click', () => this.forget());
      $('keep').addEventListener('click', () => this.one());
      this.translate();
    }

    translate() {
      const chosen = $('keep-word').value, inOrder = new Intl.Collator(scope.ui.language).compare;
      const labels = [...new Set(this.guesser.models.flatMap(model => model.labels))];
      labels.sort((a, b) => inOrder(named(a), named(b)));
      $('keep-word').replaceChildren(...labels.map(label => {
        const option = make('option', '', named(label));
        option.value = label;
        return option;
      }));
      if (chosen) $('keep-word').value = chosen;
      this.show();
    }

    agree() {
      this.session = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
      try { sessionStorage.setItem(KEY, this.session); } catch { /* not allowed: until the page is left */ }
      this.number = Date.now();  // another page of this session may have begun
      this.show();
    }

    show() {
      $('collect-ask').hidden = Boolean(this.session);
      $('collect-on').hidden = !this.session;
      $('collect-count').textContent = say('collect_on', {n: this.count});
      $('privacy').textContent = say(this.session ? 'privacy_kept' : scope.ui.page.guesser === 'server' ? 'privacy_server' : 'privacy_browser');
    }

    // What goes along with a question.
    about(word = null, seconds = null) {
      return this.session ? {session: this.session, drawing: this.number, word, seconds} : null;
    }

    one() {  // of free drawing
      if (this.pen.strokes.length) this.keep(this.pen.strokes, $('keep-word').value).then(kept => { if (kept) this.pen.clear(); });
    }

    async keep(drawn, word) {
      const drawing = this.number++;
      if (!this.session || !drawn.length) return;
      try {
        await this.guesser.keep({session: this.session, drawing, word, strokes: drawn});
        this.count++;
        this.show();
        return true;
      } catch (error) { notice(`${say('not_kept')} ${error.message}`); }
    }

    async forget() {
      try { await this.guesser.forget(this.session); } catch (error) { return notice(error.message); }
      this.session = null; this.count = 0;
      try { sessionStorage.removeItem(KEY); } catch { /* there is none */ }
      this.show();
      notice(say('collect_deleted'));
    }
  }

  function stored() {
    try { return sessionStorage.getItem(KEY); } catch { return null; }
  }

  scope.Collecting = Collecting;
})(window);
