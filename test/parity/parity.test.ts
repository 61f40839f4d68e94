/**
 * The reference network, trained as PyTorch trained it in `fixtures/parity`: same weights, same
 * batches, and the same numbers for 500 steps.
 */

import { beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { compile } from '../../src/core/compile.ts';
import { engine } from '../../src/core/device.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { DataLoader, ImageDataset, transforms } from '../../src/data/index.ts';
import { isOff } from '../../src/engine/switches.ts';
import { nn, optim, tensor } from '../../src/index.ts';
import { toHost } from '../../src/io/tensors.ts';
import type { HostTensors } from '../../src/train/checkpoint/checkpoint.ts';
import { optimizerTensors } from '../../src/train/checkpoint/snapshot.ts';
import { BatchTensors } from '../../src/train/loop/batches.ts';
import { loadParity, type ParityRecording } from '../fixtures/parity/load.ts';

interface Reached {
  readonly weights: HostTensors;
  readonly gradients: HostTensors;
  readonly momentum: HostTensors;
}

let recording: ParityRecording;
let losses: number[];
const reached = new Map<number, Reached>();

beforeAll(async () => {
  recording = await loadParity();
  losses = await trainAsRecorded();
}, 120_000);

/** Trains on the recorded batches; returns the loss of each step. */
async function trainAsRecorded(): Promise<number[]> {
  const { data, batchSize, initial, steps } = recording;
  const { config } = loadConfig('configs/cifar10-cnn.yaml');
  const model = nn.build(config.model);
  model.loadStateDict(
    new Map([...initial].map(([name, { shape, data }]) => [name, tensor(data, { shape })])),
  );
  const loss = nn.buildLoss(config.loss);
  const optimizer = optim.build(config.optimizer, model.parameters());
  const dataset = new ImageDataset(
    data,
    ['ToTensor', { type: 'Normalize', mean: [0.5], std: [0.5] }].map((t) => transforms.build(t)),
  );
  const loader = new DataLoader({ dataset, engine: engine(), batch_size: batchSize });
  const tensors = new BatchTensors(dataset);

  const update = (input: Tensor, target: Tensor): Tensor => {
    optimizer.zeroGrad();
    const value = loss.call(model.call(input), target);
    value.backward();
    optimizer.step();
    return value;
  };
  const state = [model, optimizer];
  const step = compile(update, { state });
  const recordedStep = compile(
    (input: Tensor, target: Tensor) => ({
      loss: update(input, target),
      ...Object.fromEntries(model.namedParameters().map(([name, p]) => [name, p.grad!])),
    }),
    { state },
  );

  const found: number[] = [];
  for (const batch of loader.epoch(0)) {
    const input = tensors.inputs(batch);
    const target = tensors.targets(batch);
    const number = found.length + 1;
    if (!steps.has(number)) {
      found.push(step.sync(input, target).item());
      continue;
    }
    const { loss: value, ...gradients } = recordedStep.sync(input, target);
    found.push(value!.item());
    reached.set(number, {
      weights: await toHost(model.stateDict()),
      gradients: await toHost(new Map(Object.entries(gradients as Record<string, Tensor>))),
      momentum: withoutAffixes(await toHost(optimizerTensors(model, optimizer))),
    });
  }
  loader.dispose();
  step.dispose();
  recordedStep.dispose();
  return found;
}

/** `optimizer.conv1.weight.momentum_buffer` is PyTorch's buffer of `conv1.weight`. */
function withoutAffixes(tensors: HostTensors): HostTensors {
  return new Map(
    [...tensors].map(([name, host]) => [
      name.slice('optimizer.'.length, name.lastIndexOf('.')),
      host,
    ]),
  );
}

/** The largest |a - b| / (1 + |b|), and where it is. */
function largestError(actual: HostTensors, expected: HostTensors) {
  let worst = { error: 0, at: '' };
  for (const [name, { data }] of expected) {
    const found = actual.get(name)!.data;
    for (let i = 0; i < data.length; i++) {
      const reference = Number(data[i]);
      const error = Math.abs(Number(found[i]) - reference) / (1 + Math.abs(reference));
      if (!(error <= worst.error)) worst = { error, at: `${name}[${i}]` };
    }
  }
  return worst;
}

describe('training the reference network as PyTorch does', () => {
  it.each([
    [200, 1e-6],
    [500, 1e-4],
  ])('has the losses of the first %i steps within %d', (count, tolerance) => {
    const errors = losses.slice(0, count).map((loss, i) => Math.abs(loss - recording.losses[i]!));
    expect(errors).toHaveLength(count);
    expect(Math.max(...errors)).toBeLessThan(tolerance);
  });

  /**
   * Rounding alone moves nothing by more than 1e-6. But in some 10^7 ReLUs and pooling windows two
   * values sooner or later lie closer together than rounding can tell: with these samples first
   * after step 350 (0.0178294 twice in a window of the first pooling, 6e-8 apart in float64). Which
   * one is the larger then depends on the order of summation, and the gradient takes another path,
   * in PyTorch under another convolution algorithm too; the momentum shows it most, by 2e-2. So it
   * is held to PyTorch's there only while the convolutions sum in the same order.
   */
  const late = isOff('rows') ? 5e-2 : 1e-3;
  describe.each([
    [1, { weights: 1e-5, gradients: 1e-5, momentum: 1e-5 }],
    [10, { weights: 1e-5, gradients: 1e-5, momentum: 1e-5 }],
    [100, { weights: 1e-5, gradients: 1e-5, momentum: 1e-5 }],
    [500, { weights: 1e-3, gradients: late, momentum: late }],
  ])('after step %i', (step, tolerances) => {
    it.each(Object.entries(tolerances))('has its %s within %d', (name, tolerance) => {
      const kind = name as keyof Reached;
      const expected = recording.steps.get(step)![kind];
      const { error, at } = largestError(reached.get(step)![kind], expected);
      expect(error, at).toBeLessThan(tolerance);
    });
  });
});
