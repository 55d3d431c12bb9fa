"""What tests of pages share: a page taken apart."""

from __future__ import annotations

import html.parser


class Parsed(html.parser.HTMLParser):
    """A page taken apart; checks that what is opened is closed."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.attributes, self.texts = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def values_of(self, *names):
        return [value for name, value in self.attributes if name in names]
