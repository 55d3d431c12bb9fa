'use strict';
// What the page says, in the reader's language, and the elements that say it.
(function (scope) {
  const $ = id => document.getElementById(id);
  const texts = JSON.parse($('words').textContent), page = JSON.parse($('page').textContent);
  const listeners = [];
  let language = choose();

  function choose() {
    const asked = [new URLSearchParams(location.search).get('lang'), ...navigator.languages];
    return asked.map(one => (one || '').slice(0, 2).toLowerCase()).find(one => texts[one]) || 'en';
  }

  function say(key, values = {}) {
    let text = texts[language][key];
    if (typeof text === 'object') text = text[new Intl.PluralRules(language).select(values.n)] || text.other;
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  const number = (value, options) => new Intl.NumberFormat(language, options).format(value);
  const percent = share => number(share, {style: 'percent'});
  const seconds = (value, unitDisplay = 'long') => number(
    value, {style: 'unit', unit: 'second', unitDisplay, minimumFractionDigits: 1, maximumFractionDigits: 1});
  // What a class is called here; what is sent, kept and scored is its own name.
  function named(label) {
    const name = label.replaceAll('_', ' '), own = page.classes[language] || {};
    return Object.hasOwn(own, name) ? own[name] : name;
  }

  function make(kind, name = '', text = '') {
    const element = document.createElement(kind);
    if (name) element.className = name;
    element.textContent = text;
    return element;
  }

  function translate() {
    document.documentElement.lang = language;
    document.title = say('title');
    for (const each of document.querySelectorAll('[data-word]')) each.textContent = say(each.dataset.word);
    for (const tell of listeners) tell();
  }

  function offer() {
    $('language').replaceChildren(...Object.keys(texts).map(code => {
      const option = make('option', '', texts[code].name);
      option.value = option.lang = code;
      return option;
    }));
    $('language').value = language;
    $('language').addEventListener('change', () => { language = $('language').value; translate(); });
  }

  scope.ui = {
    $, say, percent, seconds, named, make, translate, offer, page,
    whenTranslated: tell => listeners.push(tell),
    notice(text) { $('notice').textContent = text; $('notice').hidden = !text; },
    get language() { return language; },
  };
})(window);
