/**
 * Times one training step of the reference CNN (batch 4, SGD with momentum) against PyTorch, where
 * a Python with PyTorch is found: `npm run bench`. Both run on the CPU, in turns, and the ratio of
 * medians within this run is what counts. Set PYTHON to choose the interpreter.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compile, manualSeed, nn, optim, randn, tensor } from '../../dist/index.js';

const ROUNDS = 5;
const STEPS = 400;
const WARM_UP = 100;

/** Milliseconds of each step of one round. */
function timeSteps(step, steps) {
  const times = [];
  for (let i = 0; i < steps; i++) {
    const start = process.hrtime.bigint();
    step();
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  return times;
}

function torchtsStep(batch) {
  manualSeed(0);
  const model = nn.build({
    type: 'Sequential',
    layers: [
      { type: 'Conv2d', in_channels: 3, out_channels: 6, kernel_size: 5 },
      'ReLU',
      { type: 'MaxPool2d', kernel_size: 2, stride: 2 },
      { type: 'Conv2d', in_channels: 6, out_channels: 16, kernel_size: 5 },
      'ReLU',
      { type: 'MaxPool2d', kernel_size: 2, stride: 2 },
      'Flatten',
      { type: 'Linear', in_features: 400, out_features: 120 },
      'ReLU',
      { type: 'Linear', in_features: 120, out_features: 84 },
      'ReLU',
      { type: 'Linear', in_features: 84, out_features: 10 },
    ],
  });
  const loss = nn.buildLoss('CrossEntropyLoss');
  const optimizer = optim.build({ type: 'SGD', lr: 0.001, momentum: 0.9 }, model.parameters());
  const x = randn([batch, 3, 32, 32]).realize();
  const y = tensor(BigInt64Array.from({ length: batch }, (_, i) => BigInt(i % 10)));
  const step = compile(
    (images, labels) => {
      optimizer.zeroGrad();
      const value = loss.forward(model.call(images), labels);
      value.backward();
      optimizer.step();
      return value;
    },
    { state: [model, optimizer], name: 'bench' },
  );
  return { run: () => step.sync(x, y).dispose(), inspect: () => step.inspect(x, y) };
}

function torchTimes(batch, steps) {
  const script = fileURLToPath(new URL('./torch_step.py', import.meta.url));
  const python = process.env.PYTHON ?? 'python3';
  const result = spawnSync(python, [script, String(batch), String(WARM_UP), String(steps)], {
    encoding: 'utf8',
  });
  return result.status === 0 ? JSON.parse(result.stdout) : undefined;
}

function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)], minimum: sorted[0] };
}

for (const batch of [4, 128]) {
  const steps = Math.max(20, Math.round((STEPS * 4) / batch));
  const { run, inspect } = torchtsStep(batch);
  if (process.argv.includes('--plan')) console.log(inspect().plan);
  timeSteps(run, WARM_UP);
  const ours = [];
  const theirs = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(...timeSteps(run, steps));
    const torch = torchTimes(batch, steps);
    if (torch !== undefined) theirs.push(...torch);
  }
  const own = summary(ours);
  const format = ({ median, minimum }) =>
    `median ${median.toFixed(3)} ms, minimum ${minimum.toFixed(3)} ms`;
  console.log(`reference CNN, batch ${batch}: torchts ${format(own)}`);
  if (theirs.length === 0) {
    console.log('  PyTorch was not found (set PYTHON to an interpreter that has it)');
    continue;
  }
  const peer = summary(theirs);
  console.log(
    `  PyTorch ${format(peer)}; torchts is ${(peer.median / own.median).toFixed(2)} times as fast`,
  );
}
