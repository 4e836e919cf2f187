// Microseconds of processor time per text of onnxruntime-node on one thread. Usage: node embed.js RUNTIME MODEL_DIR TEXTS
// Every word of TEXTS is one wordpiece. Prints "onnxruntime USEC": the best pass, as bench/embed.c does.
const [runtime, model, path] = process.argv.slice(2);
const ort = require(runtime), fs = require('fs');
const vocabulary = JSON.parse(fs.readFileSync(model + '/tokenizer.json')).model.vocab;
const texts = fs.readFileSync(path, 'utf8').trim().split('\n');
(async () => {
  const session = await ort.InferenceSession.create(model + '/onnx/model_quantized.onnx',
    {intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all'});
  let best = Infinity;
  for (let pass = 0; pass < 4; pass++) {
    const start = process.cpuUsage();
    for (const text of texts) {
      const ids = ['[CLS]', ...text.split(' '), '[SEP]'].map(w => BigInt(vocabulary[w])), n = ids.length;
      const tensor = a => new ort.Tensor('int64', a, [1, n]);
      const r = await session.run({input_ids: tensor(BigInt64Array.from(ids)),
        attention_mask: tensor(new BigInt64Array(n).fill(1n)), token_type_ids: tensor(new BigInt64Array(n))});
      const h = r.last_hidden_state.data, v = new Float32Array(384);
      for (let i = 0; i < h.length; i++) v[i % 384] += h[i];
    }
    const used = process.cpuUsage(start), us = (used.user + used.system) / texts.length;
    if (pass > 0) best = Math.min(best, us);
  }
  console.log('onnxruntime ' + best.toFixed(1));
})();
