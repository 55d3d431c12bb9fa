'use strict';
// A guesser that runs the models in the browser, with onnxruntime-web: WebAssembly, one thread.
(function (scope) {
  const TOP = 10;
  const block = id => document.getElementById(id);
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));

  // One file: all parts are in the page, as base64. Else they lie beside it, and are fetched.
  async function part(id, name) {
    if (block(id)) return bytes(block(id).textContent);
    const answer = await fetch(name);
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  async function unpacked(packed) {
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(stream).arrayBuffer();
  }

  async function startRuntime() {
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = 'error';
    if (!block('ort-wasm')) { ort.env.wasm.wasmPaths = new URL('ort/', location.href).href; return; }
    // A page from a file may not fetch: the glue comes as a blob, and the program as bytes.
    const glue = new Blob([await part('ort-mjs')], {type: 'text/javascript'});
    ort.env.wasm.wasmPaths = {mjs: URL.createObjectURL(glue)};
    ort.env.wasm.wasmBinary = await unpacked(await part('ort-wasm'));
  }

  class InBrowser {
    constructor(models, sessions) { this.models = models; this.sessions = sessions; }

    async guess(simple) {
      const answers = [];
      for (let i = 0; i < this.models.length; i++) answers.push(await this.one(i, simple));
      return answers;
    }

    // By how much the probability of the likeliest class drops where a patch is covered.
    async why(i, simple) {
      const model = this.models[i], many = strokes.covered(strokes.picture(simple, model), model);
      const shape = [many.count, ...model.inputs.image.shape.slice(1)];
      const {probabilities} = await this.sessions[i].run({image: new ort.Tensor('uint8', many.data, shape)});
      const classes = model.labels.length, rows = [];
      for (let row = 0; row < many.count; row++)
        rows.push(probabilities.data.slice(row * classes, (row + 1) * classes));
      const whole = rows.pop(), best = whole.indexOf(Math.max(...whole));
      return {label: model.labels[best], drops: rows.map(row => whole[best] - row[best])};
    }

    async one(i, simple) {
      const model = this.models[i], feeds = {};
      for (const name in model.inputs) {
        const shape = [1, ...model.inputs[name].shape.slice(1)];
        feeds[name] = name === 'ink' ? new ort.Tensor('int16', strokes.ink(simple, model.max_points), shape)
                                     : new ort.Tensor('uint8', strokes.picture(simple, model), shape);
      }
      const {probabilities} = await this.sessions[i].run(feeds);
      return [...probabilities.data].map((share, number) => [number, share])
        .sort((a, b) => b[1] - a[1]).slice(0, Math.max(TOP, 0));
    }
  }

  scope.makeGuesser = async function (page) {
    await startRuntime();
    const sessions = [];
    for (let i = 0; i < page.models.length; i++) sessions.push(await ort.InferenceSession.create(
      await part(`model-${i}`, `model-${i}.onnx`), {executionProviders: ['wasm']}));
    return new InBrowser(page.models, sessions);
  };
})(window);
