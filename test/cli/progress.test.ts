import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { createReporter, type ReportMode } from '../../src/cli/progress.ts';
import type { TrainEvent } from '../../src/train/events.ts';

class Recorder extends Writable {
  text = '';
  columns = 120;

  constructor(readonly isTTY: boolean) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** What a reporter prints for events at the given milliseconds. */
async function shown(mode: ReportMode, events: [at: number, event: TrainEvent][], isTTY = false) {
  const stdout = new Recorder(isTTY);
  let now = 0;
  const io: Io = {
    stdin: Readable.from([]),
    stdout,
    stderr: new Recorder(false),
    env: {},
    now: () => now,
    onStop: () => () => undefined,
  };
  const reporter = await createReporter(mode, io);
  for (const [at, event] of events) {
    now = at;
    reporter.event(event);
  }
  reporter.close?.();
  return stdout.text;
}

const START: TrainEvent = {
  event: 'start',
  name: 'net',
  directory: 'runs/net/1',
  device: 'cpu',
  threads: 2,
  parameters: 62006,
  trained_parameters: 62006,
  train_samples: 50000,
  val_samples: 10000,
  test_samples: 0,
  epochs: 2,
  total_steps: 1000,
  start_step: 0,
};

const train = (step: number, loss: number): TrainEvent => ({
  event: 'metrics',
  step,
  epoch: 1,
  split: 'train',
  loss,
  lr: 1e-3,
  samples_per_second: 12345.6,
  time: step / 100,
});

const VAL: TrainEvent = {
  event: 'metrics',
  step: 500,
  epoch: 1,
  split: 'val',
  loss: 1.5,
  accuracy: 0.4567,
  lr: 1e-3,
  samples_per_second: 30000,
  time: 61,
};

const progress = (step: number): TrainEvent => ({
  event: 'progress',
  step,
  total_steps: 1000,
  epoch: 1,
  loss: 2.25,
  lr: 0.001,
  samples_per_second: 1000,
  seconds_left: 75,
});

const END: TrainEvent = {
  event: 'end',
  name: 'net',
  directory: 'runs/net/1',
  step: 1000,
  epoch: 2,
  seconds: 3700,
  metrics: { train_loss: 1.2, val_accuracy: 0.5 },
  ok: true,
};

describe('lines', () => {
  it('say what is trained, how it goes and how it ended', async () => {
    const events: [number, TrainEvent][] = [
      [0, START],
      [1000, train(50, 2.28719)],
      [2000, VAL],
      [2001, { event: 'checkpoint', step: 500, path: 'runs/net/1/checkpoints/step-500' }],
      [3000, { event: 'retrace', reason: 'the last batch has 2 samples' }],
      [4000, END],
    ];
    expect(await shown('auto', events)).toBe(`\
net: 62,006 parameters; 50,000 training, 10,000 validation samples; 2 epochs, 1,000 steps; cpu, 2 threads
writing runs/net/1
epoch 1/2  step   50/1000  train  loss 2.287  lr 0.001  12,346 samples/s  500 ms
epoch 1/2  step  500/1000  val    loss 1.5  accuracy 45.7%  30,000 samples/s  1 min 01 s
1,000 steps in 1 h 01 min: train_loss 1.2, val_accuracy 50.0%; runs/net/1
`);
  });

  it('leave out training losses that come too fast, but not the last one', async () => {
    const events = Array.from({ length: 100 }, (_, i): [number, TrainEvent] => [
      i * 100,
      train(i + 1, 1),
    ]);
    const steps = [...(await shown('auto', [...events, [10_000, END]])).matchAll(/step (\d+) /g)];
    expect(steps.map((match) => Number(match[1]))).toEqual([
      1, 6, 11, 16, 21, 26, 31, 36, 41, 46, 51, 56, 61, 66, 71, 76, 81, 86, 91, 96, 100,
    ]);
  });

  it('give a sign of life in a long silence', async () => {
    const events = Array.from({ length: 70 }, (_, i): [number, TrainEvent] => [
      i * 1000,
      i === 0 ? train(1, 1) : progress(i),
    ]);
    const text = await shown('auto', events);
    expect([...text.matchAll(/step (\d+) /g)].map((match) => Number(match[1]))).toEqual([
      1, 30, 60,
    ]);
    expect(text).toContain('loss 2.25  1,000 samples/s  1 min 15 s left');
  });

  it('tell of a resumed and of a stopped run', async () => {
    const text = await shown('auto', [
      [0, { ...START, start_step: 400 }],
      [1, { event: 'stopped', step: 410, signal: 'SIGINT', checkpoint: 'step-410' }],
    ]);
    expect(text).toContain('resumed after step 400\n');
    expect(text).toContain('stopped by SIGINT after step 410; a checkpoint was written\n');
    const early = await shown('auto', [
      [0, { event: 'stopped', step: 0, signal: 'SIGTERM', checkpoint: null }],
    ]);
    expect(early).toBe('stopped by SIGTERM before training began\n');
  });

  it.each(['auto', 'quiet'] as const)('warn of a damaged checkpoint (%s)', async (mode) => {
    const text = await shown(mode, [
      [
        0,
        {
          event: 'resume',
          step: 4,
          checkpoint: 'c/step-4',
          damaged: [{ path: 'c/step-8', reason: 'c/step-8/state.json is damaged' }],
          changes: [{ path: ['optimizer', 'lr'], before: 0.1, after: 0.01 }],
          weights_changed: 'resnet18.pth',
        },
      ],
    ]);
    expect(text).toBe(
      'warning: c/step-8/state.json is damaged; kept as c/step-8.damaged\n' +
        'going on from c/step-4, which is whole\n' +
        'changed: optimizer.lr: 0.1 -> 0.01\n' +
        'changed: the contents of resnet18.pth, with which the run began; it has its own now\n',
    );
  });
});

describe('a terminal', () => {
  it('shows a bar with the loss, the rate and the time left', async () => {
    const text = await shown(
      'auto',
      [
        [0, START],
        [10, progress(500)],
        [20, VAL],
        [30, END],
      ],
      true,
    );
    expect(text).toContain('net: 62,006 parameters');
    expect(text).toMatch(
      /50% {2}epoch 1\/2 {2}loss 2\.25 {2}lr 0\.001 {2}1,000\/s {2}1 min 15 s left/,
    );
    expect(text).toContain('accuracy 45.7%');
    expect(text.endsWith('runs/net/1\n')).toBe(true);
  });

  it('is left clean when the run fails', async () => {
    const before = process.listenerCount('SIGINT');
    const text = await shown(
      'auto',
      [
        [0, START],
        [10, progress(500)],
      ],
      true,
    );
    expect(process.listenerCount('SIGINT')).toBe(before);
    expect(text).not.toContain('\u001b[?25l'); // the cursor is never hidden
  });
});

describe('json', () => {
  it('is every event, one a line, and nothing else', async () => {
    const events = [START, progress(1), train(2, 1), VAL, END];
    const text = await shown(
      'json',
      events.map((event, i) => [i, event]),
      true,
    );
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
  });
});

describe('quiet', () => {
  it('is the end and what was not met', async () => {
    const met: TrainEvent = {
      event: 'expect',
      key: 'seconds',
      value: 1,
      ok: true,
      message: 'fast',
    };
    const text = await shown('quiet', [
      [0, START],
      [1, train(1, 1)],
      [2, VAL],
      [3, met],
      [4, { ...met, ok: false, message: 'slow' }],
      [5, END],
    ]);
    expect(text.split('\n')).toEqual([
      'expect NOT MET: slow',
      '1,000 steps in 1 h 01 min: train_loss 1.2, val_accuracy 50.0%; runs/net/1',
      '',
    ]);
  });
});
