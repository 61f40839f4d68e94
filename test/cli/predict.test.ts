import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PredictEvent, PredictRequest } from '../../src/cli/services.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { torchts } from './harness.ts';

const CONFIG = 'configs/cifar10-cnn.yaml';

const IMAGES: PredictEvent[] = [
  { event: 'note', message: 'images of other sizes are resized to 32 x 32' },
  {
    event: 'prediction',
    file: 'a "b",c.png',
    classes: [
      { class: 'cat', probability: 0.75 },
      { class: 'dog', probability: 0.125 },
    ],
  },
];
const ROWS: PredictEvent[] = [
  { event: 'prediction', file: 'x.csv', row: 2, values: { price: 1.5 } },
  { event: 'prediction', file: 'x.csv', row: 3, values: { price: -20 } },
];
const TEXTS: PredictEvent[] = [
  { event: 'prediction', text: 'win,\nnow', classes: [{ class: 'spam', probability: 0.5 }] },
  { event: 'prediction', text: 'ab '.repeat(20), classes: [{ class: 'ham', probability: 1 }] },
];
const FAULT: PredictEvent = { event: 'failed', file: 'bad.png', message: 'cannot read bad.png' };

function predictor(events: readonly PredictEvent[]) {
  const asked: (Omit<PredictRequest, 'inputs'> & { inputs: string[] })[] = [];
  async function* predict(request: PredictRequest) {
    const inputs: string[] = [];
    for await (const input of request.inputs) inputs.push(input);
    asked.push({ ...request, inputs });
    yield* events;
  }
  return { asked, services: { predict } };
}

async function run(folder: string): Promise<string> {
  const path = join(folder, 'net', '2');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.yaml'), readFileSync(CONFIG));
  return path;
}

describe('torchts predict', () => {
  it('asks for the best checkpoint of a run, and for names that are piped in', async () => {
    const path = await run(await temporaryFolder());
    const { asked, services } = predictor([]);
    const stdin = 'one file.png\n\ntwo.png';
    const { code } = await torchts(`predict ${path} a.png - b`, { services, stdin });
    expect(code).toBe(0);
    expect(asked).toMatchObject([
      {
        checkpoint: join(path, 'checkpoints', 'best'),
        ...{ topk: 1, trained: false, batch_size: undefined },
        inputs: ['a.png', 'one file.png', 'two.png', 'b'],
      },
    ]);
  });

  it('takes a config, whose newest run is found in --runs, and options', async () => {
    const folder = await temporaryFolder();
    await run(folder);
    const { asked, services } = predictor([]);
    await torchts(`predict ${CONFIG} x --checkpoint /c/step-1 --topk 3 --no-ema`, { services });
    expect(asked[0]).toMatchObject({ checkpoint: '/c/step-1', topk: 3, trained: true });
    const missing = await torchts(`predict ${CONFIG} x --runs ${folder}`, { services });
    expect(missing.err).toMatch(/there is no run in .*cifar10-cnn yet/);
    expect(missing.code).toBe(2);
  });

  it.each([
    [
      'table',
      IMAGES,
      [
        'file         class         class',
        '-----------  -----  -----  -----  -----',
        'a "b",c.png  cat    75.0%  dog    12.5%',
      ],
    ],
    [
      'csv',
      IMAGES,
      ['file,class,probability,class_2,probability_2', '"a ""b"",c.png",cat,0.75,dog,0.125'],
    ],
    ['csv', ROWS, ['file,row,price', 'x.csv,2,1.5', 'x.csv,3,-20']],
    [
      'table',
      ROWS,
      ['file   row  price', '-----  ---  -----', 'x.csv    2    1.5', 'x.csv    3    -20'],
    ],
    [
      'table',
      TEXTS,
      [
        `text${' '.repeat(44)}  class`,
        `${'-'.repeat(48)}  -----  ------`,
        `win, now${' '.repeat(40)}  spam    50.0%`,
        `${'ab '.repeat(15)}...  ham    100.0%`,
      ],
    ],
    ['csv', TEXTS, ['text,class,probability', '"win,\nnow",spam,0.5', `${'ab '.repeat(20)},ham,1`]],
  ] as const)('prints %s', async (format, events, lines) => {
    const { services } = predictor(events);
    const { out, err } = await torchts(`predict ${CONFIG} x --checkpoint c --format ${format}`, {
      services,
    });
    expect(out).toBe(`${lines.join('\n')}\n`);
    const notes = events.flatMap((event) => (event.event === 'note' ? [event.message] : []));
    expect(err).toBe(notes.map((note) => `torchts: ${note}\n`).join(''));
  });

  it('passes texts on, and wants something to predict', async () => {
    const { asked, services } = predictor([]);
    const command = `predict ${CONFIG} --checkpoint c`;
    await torchts(`${command} --text one --text two`, { services });
    expect(asked[0]).toMatchObject({ texts: ['one', 'two'], inputs: [] });
    const nothing = await torchts(command, { services });
    expect(nothing.code).toBe(2);
    expect(nothing.err).toContain('name the files to predict, or give --text');
  });

  it('prints one JSON array, also of nothing', async () => {
    const command = `predict ${CONFIG} x --checkpoint c --format json`;
    const { out } = await torchts(command, { services: predictor(ROWS).services });
    expect(JSON.parse(out)).toEqual([
      { file: 'x.csv', row: 2, values: { price: 1.5 } },
      { file: 'x.csv', row: 3, values: { price: -20 } },
    ]);
    const nothing = await torchts(command, { services: predictor([]).services });
    expect(nothing.out).toBe('[]\n');
  });

  it('writes a file, names what failed, and ends with 1 for it', async () => {
    const file = join(await temporaryFolder(), 'out.csv');
    const { services } = predictor([FAULT, ...ROWS]);
    const command = `predict ${CONFIG} x --checkpoint c --format csv --out`;
    const { code, out, err } = await torchts(`${command} ${file}`, { services });
    expect([code, out, err]).toEqual([1, '', 'torchts: cannot read bad.png\n']);
    expect(readFileSync(file, 'utf8')).toBe('file,row,price\nx.csv,2,1.5\nx.csv,3,-20\n');
    const { asked, services: idle } = predictor(ROWS);
    const nowhere = await torchts(`${command} /no/where.csv`, { services: idle });
    expect(nowhere.code).toBe(1);
    expect(nowhere.err).toMatch(/^torchts: ENOENT/);
    expect(asked).toEqual([]);
  });

  it('refuses what makes no sense', async () => {
    const { services } = predictor([]);
    for (const args of ['', ' x --topk 0', ' x --format xml', ' x --batch-size -1']) {
      expect((await torchts(`predict ${CONFIG}${args}`, { services })).code).toBe(2);
    }
  });
});
