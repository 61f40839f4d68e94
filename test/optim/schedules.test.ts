/** Learning rates against those of PyTorch's schedulers. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, optim, type Tensor, tensor } from '../../src/index.ts';

type Spec = { type: string; lr_lambda?: string | string[] } & Record<string, unknown>;

interface Case {
  scheduler: Spec;
  optimizer: 'SGD' | 'Adam' | 'Adagrad';
  rates: number[][];
  momentums: number[];
}

const FILE = new URL('../fixtures/torch/schedules.json', import.meta.url);
const { cases, metrics } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  cases: Case[];
  metrics: number[];
};
const named = cases.map((entry) => [JSON.stringify(entry.scheduler), entry] as const);
const TOLERANCE = 1e-12;

const FUNCTIONS: Record<string, (epoch: number) => number> = {
  power: (epoch) => 0.9 ** epoch,
  inverse: (epoch) => 1 / (1 + epoch),
};

const leaf = () => tensor([0], { requires_grad: true });

function makeOptimizer(name: Case['optimizer']): optim.Optimizer {
  const groups = [
    { params: [leaf()], lr: 0.1 },
    { params: [leaf()], lr: 0.02 },
  ];
  return name === 'SGD' ? new optim.SGD(groups, { momentum: 0.9 }) : new optim[name](groups);
}

/** As a config would build it; functions stand by name in the recording. */
function makeScheduler({ lr_lambda, ...spec }: Spec, optimizer: optim.Optimizer) {
  if (lr_lambda === undefined) return optim.buildScheduler(spec, optimizer);
  const fn =
    typeof lr_lambda === 'string' ? FUNCTIONS[lr_lambda] : lr_lambda.map((name) => FUNCTIONS[name]);
  return optim.buildScheduler({ ...spec, lr_lambda: fn }, optimizer);
}

function momentumOf({ betas, momentum = 0 }: { betas?: number[]; momentum?: number }): number {
  return betas?.[0] ?? momentum;
}

type Steppable = { step(metrics?: number): void };

function follow(entry: Case, scheduler: optim.lrScheduler.Scheduler, from: number, to: number) {
  const { optimizer } = scheduler;
  for (let step = from; step < to; step++) {
    if (step > 0) (scheduler as unknown as Steppable).step(metrics[step - 1]);
    for (const [i, { lr }] of optimizer.param_groups.entries()) {
      const difference = Math.abs((lr as number) - entry.rates[step]![i]!);
      expect(difference, `step ${step}, group ${i}`).toBeLessThan(TOLERANCE);
    }
    const momentum = momentumOf(optimizer.param_groups[0]!);
    expect(Math.abs(momentum - entry.momentums[step]!)).toBeLessThan(TOLERANCE);
    expect(scheduler.getLastLr()).toEqual(optimizer.param_groups.map(({ lr }) => lr));
  }
}

/** `step` without a metric for all schedulers but one. */
function plain(entry: Case, scheduler: optim.lrScheduler.Scheduler) {
  if (entry.scheduler.type === 'ReduceLROnPlateau') return scheduler;
  const step = (scheduler as unknown as Steppable).step.bind(scheduler);
  return Object.assign(scheduler, { step: () => step() });
}

test.each(named)('%s', (_, entry) => {
  const optimizer = makeOptimizer(entry.optimizer);
  follow(entry, plain(entry, makeScheduler(entry.scheduler, optimizer)), 0, 26);
});

test.each(named)('%s goes on from a saved state', (_, entry) => {
  const optimizer = makeOptimizer(entry.optimizer);
  const scheduler = plain(entry, makeScheduler(entry.scheduler, optimizer));
  follow(entry, scheduler, 0, 9);
  const saved = JSON.parse(JSON.stringify([scheduler.stateDict(), optimizer.stateDict()]));
  const other = makeOptimizer(entry.optimizer);
  const resumed = plain(entry, makeScheduler(entry.scheduler, other));
  resumed.loadStateDict(saved[0]);
  other.loadStateDict({ ...saved[1], state: {} });
  expect(resumed.getLastLr()).toEqual(scheduler.getLastLr());
  follow(entry, resumed, 9, 26);
});

test.each(['SGD', 'Adam'] as const)('a compiled step of %s follows one cycle', (name) => {
  const run = (compiled: boolean) => {
    const p = tensor([1, -2], { requires_grad: true });
    const optimizer = name === 'SGD' ? new optim.SGD([p], { momentum: 0.9 }) : new optim.Adam([p]);
    const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { max_lr: 0.1, total_steps: 8 });
    const retraced: string[] = [];
    const update = (x: Tensor) => {
      optimizer.zeroGrad();
      p.mul(p).mul(x).sum().backward();
      optimizer.step();
    };
    const step = compile(update, {
      state: [optimizer],
      onRetrace: (reason) => retraced.push(reason),
    });
    for (let k = 0; k < 8; k++) {
      if (compiled) step.sync(tensor([1, 2]));
      else update(tensor([1, 2]));
      scheduler.step();
    }
    expect(retraced).toEqual([]);
    return p.tolist() as number[];
  };
  const eager = run(false);
  for (const [i, value] of run(true).entries()) expect(value).toBeCloseTo(eager[i]!, 6);
});

test('a rate that is a tensor is changed in place', () => {
  const lr = tensor(0.5);
  const optimizer = new optim.SGD([leaf()], { lr });
  const scheduler = new optim.lrScheduler.StepLR(optimizer, { step_size: 1 });
  scheduler.step();
  expect(optimizer.param_groups[0]!.lr).toBe(lr);
  expect(lr.item()).toBeCloseTo(0.05, 7);
});

describe('refuses', () => {
  const { lrScheduler } = optim;
  const sgd = () => new optim.SGD([leaf()]);

  test.each<[string, () => unknown, string]>([
    ['no optimizer', () => new lrScheduler.StepLR({} as never, { step_size: 1 }), 'no optimizer'],
    [
      'a factor above 1',
      () => new lrScheduler.ConstantLR(sgd(), { factor: 2 }),
      '[ConstantLR] factor',
    ],
    [
      'a start of 0',
      () => new lrScheduler.LinearLR(sgd(), { start_factor: 0 }),
      '[LinearLR] start_',
    ],
    ['a factor of 1', () => new lrScheduler.ReduceLROnPlateau(sgd(), { factor: 1 }), 'factor'],
    ['no steps', () => new lrScheduler.OneCycleLR(sgd(), { max_lr: 1 }), 'needs total_steps'],
    [
      'rates for other groups',
      () => new lrScheduler.CyclicLR(sgd(), { base_lr: [1, 2], max_lr: 1 }),
      'base_lr has 2 numbers for 1 parameter groups',
    ],
    [
      'momentum where there is none',
      () => new lrScheduler.CyclicLR(new optim.Adagrad([leaf()]), { base_lr: 0.1, max_lr: 1 }),
      'neither momentum nor betas',
    ],
    [
      'last_epoch without a first rate',
      () => new lrScheduler.StepLR(sgd(), { step_size: 1, last_epoch: 3 }),
      'group 0 has no initial_lr',
    ],
    [
      'a plateau in a sequence',
      () => {
        const optimizer = sgd();
        const schedulers = [new lrScheduler.ReduceLROnPlateau(optimizer)];
        return new lrScheduler.SequentialLR(optimizer, { schedulers, milestones: [] });
      },
      'needs more than a step',
    ],
    [
      'schedulers of another optimizer',
      () => {
        const schedulers = [new lrScheduler.ExponentialLR(sgd(), { gamma: 0.5 })];
        return new lrScheduler.ChainedScheduler(sgd(), { schedulers });
      },
      'has another optimizer',
    ],
    [
      'too few milestones',
      () => {
        const optimizer = sgd();
        const parts = [1, 2].map(() => new lrScheduler.ExponentialLR(optimizer, { gamma: 0.5 }));
        return new lrScheduler.SequentialLR(optimizer, { schedulers: parts, milestones: [] });
      },
      '2 schedulers need 1 milestones, got 0',
    ],
    [
      'an unknown key',
      () => optim.buildScheduler({ type: 'StepLR', step_sise: 3 }, sgd()),
      'did you mean "step_size"?',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});
