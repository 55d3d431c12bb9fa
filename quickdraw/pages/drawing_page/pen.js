'use strict';
// The paper: strokes with their times are what is kept, the canvas only shows them. Mouse, finger,
// pen and keyboard; undo and redo, also of clearing.
(function (scope) {
  const SIDE = 1000, LINE = 16 / 304;  // units of the paper; the line is as wide as the data's
  const STEP = 20, FAR = 80;

  class Pen {
    // `changed(drawing)` is called when there is more to see, with whether the pen is up.
    constructor(canvas, changed) {
      this.canvas = canvas; this.changed = changed;
      this.history = [[]]; this.at = 0; this.stroke = null; this.pointer = null;
      this.cursor = [SIDE / 2, SIDE / 2]; this.keys = false; this.start = performance.now();
      for (const [name, act] of Object.entries({
        pointerdown: this.down, pointermove: this.move, pointerup: this.up,
        pointercancel: this.up, lostpointercapture: this.up, keydown: this.key,
        focus: this.show, blur: this.lift, contextmenu: event => event.preventDefault(),
      })) canvas.addEventListener(name, act.bind(this));
      new ResizeObserver(() => this.resize()).observe(canvas);
      this.watchPixels();
    }

    // What was drawn: [[x…], [y…], [milliseconds…]] a stroke.
    get strokes() { return this.stroke ? [...this.history[this.at], this.stroke] : this.history[this.at]; }

    // ---- Pointers
    place(event) {
      const box = this.canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
    }

    down(event) {
      if (!event.isPrimary || this.stroke) return;
      if (event.button === 5 || event.buttons & 32) return this.undo();  // the eraser of a pen
      if (event.button !== 0) return;
      event.preventDefault();
      this.canvas.focus({preventScroll: true});
      this.keys = false;
      this.pointer = event.pointerId;
      try { this.canvas.setPointerCapture(event.pointerId); } catch { /* it is gone already */ }
      this.begin(this.place(event), event.timeStamp);
    }

    move(event) {
      if (!this.stroke || event.pointerId !== this.pointer) return;
      // Absent where the page came over http from another machine.
      const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
      for (const each of events.length ? events : [event]) this.add(this.place(each), each.timeStamp);
      this.tell(false);
    }

    up(event) {
      if (event.pointerId !== this.pointer) return;
      this.pointer = null;
      this.end();
    }

    // ---- Strokes
    begin(place, time) {
      if (!this.strokes.length) this.start = time;
      this.stroke = [[], [], []];
      this.add(place, time);
      this.tell(false);
    }

    add([x, y], time) {
      // What is kept of a drawing is what was guessed, to the last digit.
      const inside = value => Math.round(Math.min(Math.max(value, 0), SIDE) * 100) / 100;
      const n = this.stroke[0].length;
      x = inside(x); y = inside(y);
      if (n && this.stroke[0][n - 1] === x && this.stroke[1][n - 1] === y) return;
      this.stroke[0].push(x); this.stroke[1].push(y);
      this.stroke[2].push(Math.round(time - this.start));
    }

    end() {
      if (!this.stroke) return;
      const stroke = this.stroke;
      this.stroke = null;
      this.keep([...this.history[this.at], stroke]);
    }

    keep(strokes) {
      this.history.splice(this.at + 1, Infinity, strokes);
      this.at++;
      this.tell(true);
    }

    get canUndo() { return this.at > 0; }
    get canRedo() { return this.at < this.history.length - 1; }
    undo() { this.end(); if (this.canUndo) { this.at--; this.tell(true); } }
    redo() { this.end(); if (this.canRedo) { this.at++; this.tell(true); } }
    clear() { this.end(); if (this.strokes.length) this.keep([]); }

    forget() {  // another drawing begins; there is nothing to undo
      this.stroke = null; this.pointer = null;
      this.history = [[]]; this.at = 0;
      this.tell(true);
    }

    // ---- Keys
    key(event) {
      const arrows = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
      const way = arrows[event.key], inside = value => Math.min(Math.max(value, 0), SIDE);
      if (event.ctrlKey || event.metaKey || event.altKey || this.pointer !== null) return;
      if (event.key === ' ' || event.key === 'Enter') {
        if (!event.repeat) {
          if (this.stroke) this.end(); else this.begin(this.cursor, event.timeStamp);
        }
      } else if (way) {
        const step = event.shiftKey ? FAR : STEP;
        this.cursor = this.cursor.map((value, axis) => inside(value + step * way[axis]));
        if (this.stroke) { this.add(this.cursor, event.timeStamp); this.tell(false); }
      } else return;
      event.preventDefault();
      this.keys = true;
      this.show();
    }

    lift() { if (this.pointer === null) this.end(); this.show(); }

    // ---- What is seen
    tell(up) { this.show(); this.changed(up); }

    watchPixels() {  // another screen, or zoomed
      const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
      query.addEventListener('change', () => { this.resize(); this.watchPixels(); }, {once: true});
      matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.show());
    }

    resize() {
      const side = Math.round(this.canvas.getBoundingClientRect().width * devicePixelRatio);
      if (side && side !== this.canvas.width) this.canvas.width = this.canvas.height = side;
      this.show();
    }

    show() {
      if (this.asked) return;
      this.asked = requestAnimationFrame(() => { this.asked = null; this.paint(); });
    }

    paint() {
      const brush = Pen.paint(this.canvas, this.strokes);
      if (!this.keys || document.activeElement !== this.canvas) return;
      brush.lineWidth = 4;
      brush.beginPath();
      brush.arc(...this.cursor, LINE * SIDE * .7, 0, 2 * Math.PI);
      brush.stroke();
    }

    static paint(canvas, strokes) {
      const brush = canvas.getContext('2d'), scale = canvas.width / SIDE;
      brush.setTransform(scale, 0, 0, scale, 0, 0);
      brush.clearRect(0, 0, SIDE, SIDE);
      brush.strokeStyle = brush.fillStyle = getComputedStyle(canvas).color;
      brush.lineWidth = LINE * SIDE;
      brush.lineCap = brush.lineJoin = 'round';
      for (const [xs, ys] of strokes) {
        brush.beginPath();
        brush.moveTo(xs[0], ys[0]);
        if (xs.length === 1) brush.lineTo(xs[0] + .01, ys[0]);
        for (let i = 1; i < xs.length; i++) brush.lineTo(xs[i], ys[i]);
        brush.stroke();
      }
      return brush;
    }
  }

  scope.Pen = Pen;
})(window);
