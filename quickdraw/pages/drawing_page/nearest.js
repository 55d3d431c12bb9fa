'use strict';
// The drawings of the data that are most like one's own, of the same word.
(function (scope) {
  const {make} = scope.ui;

  function image(data) {
    const made = new Image();
    made.src = `data:image/png;base64,${data}`;
    made.alt = '';
    return made;
  }

  // Ink of a picture, blurred: lines that lie beside each other are alike, too.
  function blurred(ink, size) {
    let now = Float32Array.from(ink);
    for (let pass = 0; pass < 2; pass++) now = now.map((_, i) => {
      const x = i % size, y = Math.floor(i / size);
      let sum = 0;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++)
        if (x + dx >= 0 && x + dx < size && y + dy >= 0 && y + dy < size)
          sum += now[(y + dy) * size + x + dx] * (dx ? 1 : 2) * (dy ? 1 : 2);
      return sum / 16;
    });
    const whole = Math.sqrt(now.reduce((sum, value) => sum + value * value, 0)) || 1;
    return now.map(value => value / whole);
  }

  async function inkOf(data, size) {
    const picture = image(data), canvas = make('canvas');
    await picture.decode();
    canvas.width = canvas.height = size;
    const brush = canvas.getContext('2d', {willReadFrequently: true});
    brush.drawImage(picture, 0, 0, size, size);
    const pixels = brush.getImageData(0, 0, size, size).data;
    return Float32Array.from({length: size * size}, (_, i) => 255 - pixels[4 * i]);
  }

  // Of `pictures`, PNG in base64, the `count` that are most like what `model` sees of the strokes.
  async function find(simple, model, pictures, count) {
    const size = model.image_size, channels = model.channels;
    const own = strokes.picture(simple, model).filter((_, i) => i % channels === 0);
    const seen = blurred(own, size);
    const scored = await Promise.all(pictures.map(async data => {
      const other = blurred(await inkOf(data, size), size);
      return [other.reduce((sum, value, i) => sum + value * seen[i], 0), data];
    }));
    return scored.sort((a, b) => b[0] - a[0]).slice(0, count).map(([, data]) => data);
  }

  scope.nearest = {image, find};
})(window);
