/** A network that is frozen in part, from a config, beside PyTorch's steps. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { type Tensor, tensor } from '../../../src/index.ts';
import type { Module } from '../../../src/nn/index.ts';
import { buildTask, trainingStep } from '../../../src/train/task/task.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';
import { hashed32, initialise } from '../../models/recorded.ts';

interface Recording {
  readonly optimizer: { type: string; groups: Record<string, Record<string, unknown>> };
  /** Whether the frozen batch norm was in evaluation mode. */
  readonly kept: boolean;
  readonly state: Record<string, number[]>;
}

const FILE = new URL('../../fixtures/torch/partly-frozen.json', import.meta.url);
const recorded: Recording[] = JSON.parse(readFileSync(FILE, 'utf8'));

const [STEPS, BATCH, SIDE, CLASSES] = [10, 8, 8, 4] as const;
const TOLERANCE = 1e-5;

function configOf({ optimizer: { groups, ...options }, kept }: Recording): object {
  return {
    data: {
      train: { type: 'FakeData', size: BATCH, image_size: [3, SIDE, SIDE], num_classes: CLASSES },
      batch_size: BATCH,
    },
    model: {
      type: 'Sequential',
      layers: [
        { type: 'Conv2d', name: 'conv1', out_channels: 4, kernel_size: 3, padding: 1, bias: false },
        { type: 'BatchNorm2d', name: 'bn1' },
        'ReLU',
        { type: 'Conv2d', name: 'conv2', out_channels: 6, kernel_size: 3, stride: 2, bias: false },
        { type: 'BatchNorm2d', name: 'bn2' },
        'ReLU',
        { type: 'AdaptiveAvgPool2d', output_size: 1 },
        'Flatten',
        { type: 'Linear', name: 'fc', out_features: CLASSES },
      ],
      freeze: ['conv1', 'bn1'],
      freeze_batch_norm: kept,
    },
    loss: 'CrossEntropyLoss',
    optimizer: {
      ...options,
      param_groups: Object.entries(groups).map(([params, own]) => ({ params, ...own })),
    },
    trainer: { epochs: 1 },
  };
}

/** `network` of the fixture's script. */
function begin(model: Module): void {
  initialise(model);
  const statistics = [4, 6].flatMap((count, i): [string, Tensor][] => [
    [`bn${i + 1}.running_mean`, tensor(hashed32(count, 100 + i)).mul(0.1)],
    [
      `bn${i + 1}.running_var`,
      tensor(hashed32(count, 200 + i))
        .mul(0.5)
        .add(1),
    ],
  ]);
  model.loadStateDict(new Map(statistics), { strict: false });
}

function batch(step: number): [Tensor, Tensor] {
  const images = hashed32(BATCH * 3 * SIDE * SIDE, 1000 + step);
  const classes = Array.from({ length: BATCH }, (_, i) => BigInt((3 * step + 7 * i) % CLASSES));
  return [tensor(images, { shape: [BATCH, 3, SIDE, SIDE] }), tensor(BigInt64Array.from(classes))];
}

describe.each(recorded)('$optimizer.type, statistics kept: $kept', (recording) => {
  it('ends where PyTorch ends, and leaves what is frozen as it was', async () => {
    const file = join(await temporaryFolder(), 'frozen.yaml');
    await writeFile(file, JSON.stringify(configOf(recording)));
    const task = buildTask(loadConfig(file));
    const { model } = task;
    begin(model);
    model.train();
    const frozen = model.getParameter('conv1.weight').tolist();
    const step = trainingStep(task, task.totals('training'), () => undefined);
    for (let i = 0; i < STEPS; i++) await step(...batch(i));
    const state = model.stateDict();
    for (const [key, expected] of Object.entries(recording.state)) {
      const values = state.get(key)!.to('float64').flatten().tolist() as number[];
      for (const [i, value] of values.entries()) {
        const limit = TOLERANCE * Math.max(1, Math.abs(expected[i]!));
        expect(Math.abs(value - expected[i]!), `${key}[${i}]`).toBeLessThan(limit);
      }
    }
    expect(state.get('conv1.weight')!.tolist()).toEqual(frozen);
    expect(Object.keys(recording.state).length).toBe(state.size - 3);
    step.dispose();
  });
});
