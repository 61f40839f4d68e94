/**
 * Prints the relative L2 error against float64 of 3 x 3 convolutions by Winograd's algorithm and by
 * the direct one, for each pass and the sizes of a ResNet-18 at 32 x 32 pixels:
 * `node test/bench/winograd-error.mjs` (after `npm run build`). Normal random operands.
 */
import { compile, grad, manualSeed, nn, randn } from '../../dist/index.js';

const BATCH = 4;
const PASSES = ['forward', 'data gradient', 'weight gradient'];

/** The three results for operands of one dtype. */
async function results(channels, [x, w, g], off) {
  const conv = new nn.Conv2d({
    in_channels: channels,
    out_channels: channels,
    kernel_size: 3,
    padding: 1,
    bias: false,
  });
  conv.weight = w.requires_grad_();
  x.requires_grad_();
  const step = compile(
    () => {
      const y = conv.call(x);
      return [y, ...grad(y, [x, w], { grad_outputs: [g] })];
    },
    { off },
  );
  return Promise.all((await step()).map((tensor) => tensor.data()));
}

function relativeError(actual, expected) {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}

manualSeed(0);
for (const [channels, size] of [
  [64, 32],
  [128, 16],
  [256, 8],
]) {
  const plane = [BATCH, channels, size, size];
  const operands = [plane, [channels, channels, 3, 3], plane].map((shape) =>
    randn(shape).realize(),
  );
  const exact = await results(
    channels,
    operands.map((operand) => operand.to('float64').realize()),
    [],
  );
  for (const [method, off] of [
    ['winograd', []],
    ['direct', ['onednn_winograd']],
  ]) {
    const found = await results(channels, operands, off);
    const errors = PASSES.map(
      (pass, i) => `${pass} ${relativeError(found[i], exact[i]).toExponential(1)}`,
    );
    console.log(`${channels} channels, ${size} x ${size}, ${method}: ${errors.join(', ')}`);
  }
}
