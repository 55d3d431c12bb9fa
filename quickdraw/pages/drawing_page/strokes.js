'use strict';
// What quickdraw.drawings does to strokes, in JavaScript: simplified, drawn as the training pictures
// were, or made ink. A stroke is [[x0, x1, …], [y0, y1, …]] and perhaps [t0, t1, …], y downwards.
(function (scope) {
  const SIDE = 256, THINNED = 8, SCALE = 32767, EPSILON = 2, PART = 16384;
  const MNIST_BOX = 20 / 28, MNIST_PEN = 2.9 / 28, MNIST_SAMPLES = 10;

  // The hypotenuse to the last bit, as C and NumPy have it; Math.hypot is not so exact, and a point
  // more or less may hang on that. The error of each square (Dekker 1971) mends the root.
  function length(x, y) {
    const root = Math.sqrt(x * x + y * y);
    if (!root) return root;
    const high = Math.max(Math.abs(x), Math.abs(y)), low = Math.min(Math.abs(x), Math.abs(y));
    const rest = high * high - root * root + low * low;
    return root + (rest + (lost(high) + lost(low) - lost(root))) / (2 * root);
  }

  function lost(value) {  // what value * value loses
    const half = 134217729 * value, high = half - (half - value), low = value - high;
    return high * high - value * value + 2 * high * low + low * low;
  }

  // ---- Pixels ---------------------------------------------------------------------------------
  // Pillow draws a wide line as the polygon of four whole points, and fills each row between the
  // edges, ends included. Fact: Pillow, src/libImaging/Draw.c, ImagingDrawWideLine.
  const up = value => Math.floor(value + .5), down = value => Math.ceil(value - .5);
  const halfUp = value => Math.sign(value) * up(Math.abs(value));
  const halfDown = value => Math.sign(value) * down(Math.abs(value));

  class Canvas {
    constructor(side) { this.side = side; this.pixels = new Uint8Array(side * side); }

    row(y, from, to, level) {
      if (y < 0 || y >= this.side || from > to) return;
      const start = Math.max(from, 0), end = Math.min(to, this.side - 1);
      if (start <= end) this.pixels.fill(level, y * this.side + start, y * this.side + end + 1);
    }

    line(a, b, pen, level) {
      const dx = b[0] - a[0], dy = b[1] - a[1];
      if (!dx && !dy) return this.row(a[1], a[0], a[0], level);
      const ratio = (pen - 1) / 2 / length(dx, dy);
      const ox = halfDown(ratio * dy), oy = halfUp(ratio * dx);
      this.fill([[a[0] - ox, a[1] + oy], [b[0] - ox, b[1] + oy],
                 [b[0] + ox, b[1] - oy], [a[0] + ox, a[1] - oy]], level);
    }

    fill(corners, level) {  // of a convex polygon
      const heights = corners.map(corner => corner[1]);
      for (let y = Math.min(...heights); y <= Math.max(...heights); y++) {
        let low = Infinity, high = -Infinity;
        corners.forEach(([x0, y0], i) => {
          const [x1, y1] = corners[(i + 1) % corners.length];
          if (y < Math.min(y0, y1) || y > Math.max(y0, y1)) return;
          const crossed = y0 === y1 ? [x0, x1] : [x0 + (y - y0) * (x1 - x0) / (y1 - y0)];
          low = Math.min(low, ...crossed); high = Math.max(high, ...crossed);
        });
        this.row(y, up(low), down(high), level);
      }
    }

    disc([x, y], pen, level) {
      const radius = pen >> 1, most = (radius + .4) ** 2;  // the discs that Pillow draws
      for (let dy = -radius; dy <= radius; dy++) {
        const reach = Math.floor(Math.sqrt(most - dy * dy));
        this.row(y + dy, x - reach, x + reach, level);
      }
    }

    reduced(times) {  // the mean of each times x times pixels, in whole numbers as Pillow does
      const size = this.side / times, small = new Uint8Array(size * size);
      const many = times * times, share = Math.floor(2 ** 24 / many);
      for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
        let sum = 0;
        for (let j = 0; j < times; j++) {
          const at = (y * times + j) * this.side + x * times;
          for (let i = 0; i < times; i++) sum += this.pixels[at + i];
        }
        small[y * size + x] = Math.floor((sum + (many >> 1)) * share / 2 ** 24);
      }
      return small;
    }
  }

  // ---- Pictures -------------------------------------------------------------------------------
  const all = (strokes, axis) => [].concat(...strokes.map(stroke => stroke[axis]));

  function bounds(values) {
    let low = Infinity, high = -Infinity;
    for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
    return [low, high];
  }

  function extent(values) {
    const [low, high] = bounds(values), start = low > 0 && low < THINNED ? 0 : low;
    return [start, high - start];
  }

  // Uint8Array of size x size x channels, 255 on 0, as quickdraw.drawings.rasterise makes it.
  function rasterise(strokes, size = 28, pen = 16, padding = 16, channels = 1) {
    const [left, width] = extent(all(strokes, 0)), [top, height] = extent(all(strokes, 1));
    const box = SIDE + 2 * padding + pen, line = pen * size / box;
    const times = Math.min(Math.max(Math.ceil(14 / line), 4), 16);
    const wide = roundEven(times * line) | 1, side = times * size, scale = side / box;
    const place = (x, y) => [Math.trunc((x - (left + width / 2)) * scale + side / 2),
                             Math.trunc((y - (top + height / 2)) * scale + side / 2)];
    const dots = strokes.map(stroke => stroke[0].map((x, i) => place(x, stroke[1][i])));
    if (channels === 1) return inked(dots, side, wide).reduced(times);
    const levels = colours(strokes), image = new Uint8Array(size * size * 3);
    for (let channel = 0; channel < 3; channel++) {
      const canvas = new Canvas(side);
      for (const piece of levels) {
        const a = dots[piece.stroke][piece.from], b = dots[piece.stroke][piece.to];
        canvas.line(a, b, wide, piece.levels[channel]);
        for (const end of [a, b]) canvas.disc(end, wide, piece.levels[channel]);
      }
      canvas.reduced(times).forEach((level, i) => { image[3 * i + channel] = level; });
    }
    return image;
  }

  function inked(dots, side, pen) {
    const canvas = new Canvas(side);
    for (const stroke of dots) for (let i = 1; i < stroke.length; i++)
      canvas.line(stroke[i - 1], stroke[i], pen, 255);
    for (const stroke of dots) for (const dot of stroke) canvas.disc(dot, pen, 255);
    return canvas;
  }

  function roundEven(value) {  // as Python rounds
    const floor = Math.floor(value), rest = value - floor;
    return rest === .5 ? floor + (floor & 1) : Math.round(value);
  }

  // The order, time and speed of each line segment; see quickdraw/drawings/channels.py.
  function colours(strokes) {
    const pieces = [];
    strokes.forEach((stroke, number) => {
      const last = stroke[0].length - 1;
      for (let i = 0; i < Math.max(last, 1); i++)
        pieces.push({stroke: number, from: i, to: Math.min(i + 1, last)});
    });
    let way = 0;
    const timed = strokes.every(stroke => stroke.length === 3);
    for (const piece of pieces) {
      const [xs, ys, ts] = strokes[piece.stroke];
      const on = length(xs[piece.to] - xs[piece.from], ys[piece.to] - ys[piece.from]);
      piece.begun = timed ? ts[piece.from] : way;
      piece.speed = timed ? on / Math.max(ts[piece.to] - ts[piece.from], 1) : on;
      way += on;
    }
    const [first, last] = bounds(pieces.map(piece => piece.begun)), span = last - first || 1;
    const mean = pieces.reduce((sum, piece) => sum + piece.speed, 0) / pieces.length || 1;
    for (const piece of pieces) piece.levels = [
      1 - Math.min(piece.stroke, 10) / 10,
      1 - (piece.begun - first) / span,
      piece.speed / (piece.speed + mean),
    ].map(share => roundEven(55 + 200 * share));
    return pieces;
  }

  // As MNIST's digits are: in a box of 20 of 28 pixels, the centre of mass in the middle.
  function asMnist(strokes, size) {
    const [left, right] = bounds(all(strokes, 0)), [top, bottom] = bounds(all(strokes, 1));
    const pen = MNIST_PEN * size, times = MNIST_SAMPLES;
    const scale = (MNIST_BOX * size - pen) / Math.max(right - left, bottom - top, 1);
    const at = (value, low, high) =>
      Math.trunc(((value - low - (high - low) / 2) * scale + size / 2) * times);
    const dots = strokes.map(stroke =>
      stroke[0].map((x, i) => [at(x, left, right), at(stroke[1][i], top, bottom)]));
    const image = inked(dots, size * times, roundEven(pen * times) | 1).reduced(times);
    let mass = 0, x = 0, y = 0;
    image.forEach((level, i) => {
      mass += level; x += level * (i % size + .5); y += level * (Math.floor(i / size) + .5);
    });
    const dx = Math.floor(size / 2 - x / mass + .5), dy = Math.floor(size / 2 - y / mass + .5);
    const moved = new Uint8Array(size * size);
    image.forEach((level, i) => {
      const column = (i % size + dx + size) % size;
      moved[(Math.floor(i / size) + dy + size) % size * size + column] = level;
    });
    return moved;
  }

  // The picture that a model sees; `model` is the content of export.json.
  function picture(strokes, model) {
    const size = model.image_size, channels = model.channels, how = model.rendering;
    if (how.style !== 'mnist')
      return rasterise(strokes, size, how.line_width, how.padding, channels);
    const image = asMnist(strokes, size), every = new Uint8Array(size * size * channels);
    for (let i = 0; i < every.length; i++) every[i] = image[Math.floor(i / channels)];
    return every;
  }

  // Where patches lie that cover parts of a picture; see quickdraw/drawings/occlusion.py.
  function patches(size) {
    const patch = Math.max(1, roundEven(size / 5.6)), step = Math.max(1, patch >> 1), found = [];
    for (let y = 0; y <= size - patch; y += step)
      for (let x = 0; x <= size - patch; x += step) found.push([x, y, patch]);
    return found;
  }

  // The picture with each patch covered, and at last as it is.
  function covered(image, model) {
    const places = patches(model.image_size), size = model.image_size, channels = model.channels;
    const count = places.length + 1, data = new Uint8Array(count * image.length);
    for (let i = 0; i < count; i++) data.set(image, i * image.length);
    places.forEach(([x, y, patch], i) => {
      for (let row = y; row < y + patch; row++) {
        const start = i * image.length + (row * size + x) * channels;
        data.fill(0, start, start + patch * channels);
      }
    });
    return {data, count};
  }

  // ---- Ink ------------------------------------------------------------------------------------
  // Int16Array of points x 3, see quickdraw/records/ink.py.
  function ink(strokes, points) {
    const rows = [], xs = bounds(all(strokes, 0)), ys = bounds(all(strokes, 1));
    const unit = (value, [low, high]) => Math.fround((value - low) / (high - low || 1));
    for (const stroke of strokes) stroke[0].forEach((x, i) => rows.push(
      [unit(x, xs), unit(stroke[1][i], ys), i === stroke[0].length - 1 ? 1 : 0]));
    const made = new Int16Array(points * 3);
    for (let i = 0; i < points; i++) {
      const row = rows[i + 1], before = rows[i];
      const step = axis =>  // in float32, as NumPy does it
        roundEven(Math.fround(Math.fround(row[axis] - before[axis]) * SCALE));
      made.set(row ? [step(0), step(1), row[2] * SCALE] : [0, 0, -SCALE], 3 * i);
    }
    return made;
  }

  // ---- Simplified strokes ---------------------------------------------------------------------
  // The four steps of quickdraw/drawings/simplify.py: to the corner, to 255, a point each unit of
  // length, thinned (Ramer-Douglas-Peucker, 2 units).
  function simplify(strokes) {
    const drawn = strokes.filter(stroke => stroke[0].length);
    const [left, right] = bounds(all(drawn, 0)), [top, bottom] = bounds(all(drawn, 1));
    const span = Math.max(right - left, bottom - top), scale = span > 1e-6 ? 255 / span : 1;
    return drawn.map(stroke => {
      const points = stroke[0].map((x, i) => [(x - left) * scale, (stroke[1][i] - top) * scale,
                                              ...stroke.slice(2).map(times => times[i])]);
      const thinned = thin(resample(points));
      return thinned[0].map((_, axis) => thinned.map(point => roundEven(point[axis])));
    });
  }

  function resample(points) {
    const at = [0];
    for (let i = 1; i < points.length; i++) at.push(at[i - 1] +
      length(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
    const end = at[at.length - 1], last = points[points.length - 1];
    if (points.length === 1 || end > PART) return points;
    if (end === 0) return [points[0], last];
    const made = [points[0]];
    for (let step = 1, i = 0; step < end; step++) {
      while (at[i + 1] < step) i++;
      made.push(points[i].map((value, axis) =>  // in the order in which NumPy does it
        (points[i + 1][axis] - value) / (at[i + 1] - at[i]) * (step - at[i]) + value));
    }
    return [...made, last];
  }

  function thin(points) {
    const keep = new Uint8Array(points.length), pieces = [[0, points.length - 1]];
    keep[0] = keep[points.length - 1] = 1;
    while (pieces.length) {
      const [first, last] = pieces.pop(), [x0, y0] = points[first];
      const dx = points[last][0] - x0, dy = points[last][1] - y0, chord = length(dx, dy);
      let farthest = 0, most = EPSILON;
      for (let i = first + 1; i < last; i++) {
        const x = points[i][0] - x0, y = points[i][1] - y0;
        const distance = chord ? Math.abs(x * dy - y * dx) / chord : length(x, y);
        if (distance > most) { most = distance; farthest = i; }
      }
      if (farthest) {
        keep[farthest] = 1;
        pieces.push([first, farthest], [farthest, last]);
      }
    }
    return points.filter((_, i) => keep[i]);
  }

  scope.strokes = {rasterise, asMnist, picture, patches, covered, ink, simplify};
})(typeof window === 'undefined' ? globalThis : window);
