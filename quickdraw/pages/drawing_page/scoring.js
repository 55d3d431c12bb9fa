'use strict';
// Who has guessed a word: the rule of the game, which quickdraw/serving/sessions.py applies, too.
(function (scope) {
  const IN_A_ROW = 2, FROM = 1;  // s: a dot is a guess, too

  // Of one word and one model: it has got it when, after the first second, the word was its first
  // guess twice in a row.
  class Hit {
    constructor(knows) { this.knows = knows; this.row = 0; this.seconds = null; this.guess = null; }

    // Returns whether it has got it just now.
    answered(label, share, word, seconds) {
      this.guess = [label, share];
      if (this.seconds !== null || seconds < FROM) return false;
      this.row = label === word ? this.row + 1 : 0;
      if (this.row < IN_A_ROW) return false;
      this.seconds = seconds;
      return true;
    }

    get isRight() { return this.seconds !== null; }
  }

  // The numbers of those that were first, of hits of all models for one word.
  function first(hits) {
    const times = hits.map(hit => hit.seconds ?? Infinity), least = Math.min(...times);
    return least === Infinity ? [] : [...hits.keys()].filter(i => times[i] === least);
  }

  scope.scoring = {Hit, first};
})(window);
