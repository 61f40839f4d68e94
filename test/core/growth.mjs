/**
 * Prints by how many bytes 10,000 compiled steps grow this process, after 15,000 to warm up (V8
 * enlarges its young generation as late as that), for the step that grows it most: `node
 * --expose-gc test/core/growth.mjs`. A process of its own, for a test runner's memory comes and
 * goes with what it reports.
 */
import { setImmediate } from 'node:timers/promises';
import { compile, nn, optim, rand } from '../../dist/index.js';

/** Resident bytes when all that can be freed is: finalisers run between the collections. */
async function resident() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await setImmediate();
  }
  return process.memoryUsage.rss();
}

/** @type {(in_features: number, out_features: number) => nn.Linear} */
const linear = (in_features, out_features) => new nn.Linear({ in_features, out_features });

/** Attention over (N, T, D) and what stands around it in a transformer's layer. */
class Block extends nn.Module {
  /** @param {number} width */
  constructor(width) {
    super();
    this.width = width;
    this.attention = linear(width, 3 * width);
    this.dropout = new nn.Dropout({ p: 0.1 });
    this.out = linear(width, width);
  }

  /** @param {import('../../dist/index.js').Tensor} x */
  forward(x) {
    const all = this.attention.call(x);
    const part = (/** @type {number} */ i) => all.narrow(-1, i * this.width, this.width);
    const weights = part(0).matmul(part(1).transpose(1, 2)).softmax(-1);
    const attended = this.dropout.call(weights).matmul(part(2));
    return nn.functional.layerNorm(x.add(this.dropout.call(this.out.call(attended))), [this.width]);
  }
}

// Each returns a tensor of 1 KiB or more: 10 MB if none were freed.
const CASES = [
  {
    model: new nn.Sequential([linear(16, 32), new nn.Dropout({ p: 0.1 }), linear(32, 16)]),
    shape: [16, 16],
  },
  {
    model: new nn.LSTM({ input_size: 8, hidden_size: 16, num_layers: 2, dropout: 0.1 }),
    shape: [4, 4, 8],
  },
  { model: new nn.Sequential([new Block(16), new Block(16)]), shape: [2, 8, 16] },
];

/** @param {{ model: nn.AnyModule, shape: number[] }} of */
async function growth({ model, shape }) {
  const sgd = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = compile(
    (x) => {
      sgd.zeroGrad();
      const y = nn.firstOutput(model.call(x));
      y.mul(y).mean().backward();
      sgd.step();
      return y;
    },
    { state: [model, sgd] },
  );
  const x = rand(shape).realize();
  for (let i = 0; i < 15_000; i++) await step(x);
  const before = await resident();
  for (let i = 0; i < 10_000; i++) await step(x);
  return (await resident()) - before;
}

const grown = [];
for (const each of CASES) grown.push(await growth(each));
process.stdout.write(`${Math.max(...grown)}\n`);
