/**
 * One update of all parameters, compiled: in one pass, op by op, and PyTorch's fused optimizers
 * where PYTHON (python3 unless given) has PyTorch. Milliseconds, median of 60; two threads.
 *
 *     npm run build && node test/bench/optimizer.mjs
 */

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compile, nn, optim, zeros } from '../../dist/index.js';

const ROUNDS = 60;
const SHAPES = {
  'MLP 784-512-512-10': [[512, 784], [512], [512, 512], [512], [10, 512], [10]],
  'reference CNN': [[6, 3, 5, 5], [6], [16, 6, 5, 5], [16], [120, 400], [120], [84, 120], [84]],
};
const RULES = {
  AdamW: (params) => new optim.AdamW(params),
  'SGD, momentum': (params) => new optim.SGD(params, { momentum: 0.9 }),
};

function median(shapes, make, clip) {
  const filled = (value) => shapes.map((shape) => zeros(shape).add(value).realize());
  const params = filled(0.01).map((p) => p.requires_grad_());
  const gradients = filled(0.1);
  const optimizer = make(params);
  const update = (...given) => {
    for (const [i, p] of params.entries()) p.grad = given[i];
    if (clip) nn.utils.clipGradNorm_(params, 1);
    optimizer.step();
  };
  const step = compile(update, { state: [optimizer] });
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    step.sync(...gradients);
    return performance.now() - start;
  });
  step.dispose();
  return times.sort((a, b) => a - b)[ROUNDS / 2];
}

function measure(label) {
  for (const [model, shapes] of Object.entries(SHAPES)) {
    for (const [rule, make] of Object.entries(RULES)) {
      for (const clip of [false, true]) {
        const time = median(shapes, make, clip).toFixed(3);
        console.log(`${label}  ${model}  ${rule}${clip ? ', clipped' : ''}  ${time} ms`);
      }
    }
  }
}

if (process.env.TORCHTS_OFF !== undefined) {
  measure('op by op');
} else {
  measure('one pass');
  const here = fileURLToPath(import.meta.url);
  const env = { ...process.env, TORCHTS_OFF: 'fused_optimizer' };
  spawnSync(process.execPath, [here], { stdio: 'inherit', env });
  const script = fileURLToPath(new URL('optimizer.py', import.meta.url));
  spawnSync(process.env.PYTHON ?? 'python3', [script, JSON.stringify(SHAPES), `${ROUNDS}`], {
    stdio: 'inherit',
  });
}
