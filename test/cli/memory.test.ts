/**
 * The planned peak against what the process really takes. In a file, so in a process, of its own.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { taskMemory } from '../../src/cli/memory.ts';
import { loadConfig } from '../../src/config/load.ts';
import { ones } from '../../src/index.ts';
import { buildTask, evaluationStep, trainingStep } from '../../src/train/task/task.ts';

const MEGABYTE = 2 ** 20;
const BATCH = 2048;

/** Resident bytes, as the system counts them. */
function resident(): number {
  return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]);
}

const task = () =>
  buildTask(loadConfig('configs/cifar10-cnn.yaml', { overrides: [`data.batch_size=${BATCH}`] }));

describe('the planned memory', () => {
  it('is what a training step takes', () => {
    const planned = taskMemory(task())!.training;
    const { arena_bytes, binding_bytes } = planned;
    const trained = task();
    const step = trainingStep(trained, trained.totals('training'), () => undefined);
    const { input, target } = trained.train;
    const before = resident();
    const batch = [
      ones([BATCH, ...input.shape]).realize(),
      ones([BATCH, ...target.shape], { dtype: 'int64' }).realize(),
    ] as const;
    expect(step.inspect(...batch).memory).toEqual(planned);
    for (let i = 0; i < 3; i++) step.sync(...batch);
    const taken = resident() - before;
    const peak = arena_bytes + binding_bytes;
    expect(peak).toBeGreaterThan(64 * MEGABYTE);
    // Beside it: compiled code, the heap, the pool's stacks. Not beside it: another arena.
    expect(taken).toBeGreaterThan(0.75 * peak);
    expect(taken).toBeLessThan(1.25 * peak + 16 * MEGABYTE);
    step.dispose();
  });

  it('of evaluation is smaller: nothing is kept for a backward pass', () => {
    const measured = task();
    const memory = taskMemory(measured)!;
    expect(memory.evaluation.arena_bytes).toBeLessThan(memory.training.arena_bytes);
    expect(memory.evaluation.binding_bytes).toBeLessThan(memory.training.binding_bytes);
    expect(measured.model.training).toBe(true);
    measured.model.eval();
    const step = evaluationStep(measured, measured.totals('evaluation'), () => undefined);
    const { input, target } = measured.train;
    const { memory: inspected } = step.inspect(
      ones([BATCH, ...input.shape]),
      ones([BATCH, ...target.shape], { dtype: 'int64' }),
    );
    expect(inspected).toEqual(memory.evaluation);
    step.dispose();
  });
});
