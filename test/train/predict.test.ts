import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { predict } from '../../src/train/predict.ts';
import type { PredictEvent, Prediction, PredictRequest } from '../../src/train/request.ts';
import { train } from '../../src/train/train.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';

/** Trains a config and gives what predicts with its best checkpoint. */
async function trained(folder: string, config: string) {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, config);
  const loaded = loadConfig(file);
  await train({
    loaded,
    out: join(folder, 'runs'),
    resume: undefined,
    threads: 1,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
  const checkpoint = join(folder, 'runs', 'config', '1', 'checkpoints', 'best');
  return (inputs: readonly string[], options: Partial<PredictRequest> = {}) =>
    collected({
      ...{ loaded, checkpoint, threads: 1, topk: 1 },
      inputs: (async function* () {
        yield* inputs;
      })(),
      ...options,
    });
}

async function collected(request: PredictRequest): Promise<PredictEvent[]> {
  const events: PredictEvent[] = [];
  for await (const event of predict(request)) events.push(event);
  return events;
}

const samples = (events: readonly PredictEvent[]) =>
  events.filter((event): event is Prediction => event.event === 'prediction');

/** Dark and bright images of the names `dark/0.png`, `bright/0.png`, ... */
async function shades(folder: string): Promise<void> {
  for (const [name, gray] of Object.entries({ dark: 30, bright: 220 })) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 4; i++) {
      const background = { r: gray + i, g: gray, b: gray };
      await sharp({ create: { width: 8 + i, height: 8, channels: 3, background } })
        .png()
        .toFile(join(folder, name, `${i}.png`));
    }
  }
}

describe('predict', () => {
  it('tells the classes of images in files and folders, and passes over what is none', async () => {
    const folder = await temporaryFolder();
    const images = join(folder, 'images');
    await shades(images);
    const predicted = await trained(
      folder,
      `
data:
  train: { type: ImageFolder, root: ${images}, transforms: [{ type: Resize, size: [4, 4] }, ToTensor] }
  batch_size: 4
model: { type: Sequential, layers: [Flatten, { type: Linear, out_features: 2 }] }
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.5 }
trainer: { epochs: 20, ema: { decay: 0.5 } }
report: false
`,
    );
    const bad = join(folder, 'bad.png');
    writeFileSync(bad, 'no image');
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const inputs = [join(images, 'dark'), bad, join(images, 'bright', '1.png'), empty, 'gone.png'];
    const events = await predicted(inputs, { topk: 5, batch_size: 3 });
    const found = samples(events);
    expect(found.map(({ file }) => file)).toEqual([
      ...[0, 1, 2, 3].map((i) => join(images, 'dark', `${i}.png`)),
      join(images, 'bright', '1.png'),
    ]);
    expect(found.map(({ classes }) => classes![0]!.class)).toEqual([
      ...['dark', 'dark', 'dark', 'dark', 'bright'],
    ]);
    for (const { classes } of found) {
      const [first, second] = classes!.map(({ probability }) => probability);
      expect(first! + second!).toBeCloseTo(1);
      expect(first).toBeGreaterThan(second!);
    }
    const failed = events.filter((event) => event.event === 'failed');
    expect(failed.map(({ file }) => file)).toEqual([bad, empty, 'gone.png']);
    expect(failed.map(({ message }) => message)).toEqual([
      expect.stringContaining(`cannot read the image ${bad}`),
      expect.stringMatching(/holds no images \(.jpg, /),
      'cannot read gone.png: ENOENT: no such file or directory',
    ]);

    // The size of a batch changes nothing; the weights as trained are others than their average.
    const [one] = samples(await predicted([join(images, 'dark', '0.png')]));
    expect(one!.classes).toHaveLength(1);
    expect(one!.classes![0]!.probability).toBeCloseTo(found[0]!.classes![0]!.probability, 6);
    const [raw] = samples(await predicted([join(images, 'dark', '0.png')], { trained: true }));
    expect(raw!.classes![0]!.probability).not.toBe(one!.classes![0]!.probability);
  });

  it('does to the rows of a table what was learned from the training rows', async () => {
    const folder = await temporaryFolder();
    const table = join(folder, 'rows.csv');
    const rows = Array.from({ length: 40 }, (_, i) => {
      const [size, kind] = [i % 10, i % 2 === 0 ? 'a' : 'b'];
      return `${size},${kind},${2 * size + (kind === 'a' ? 5 : 0)}`;
    });
    writeFileSync(table, `size,kind,price\n${rows.join('\n')}\n`);
    const predicted = await trained(
      folder,
      `
data:
  train: { type: CSVDataset, path: ${table}, target: price, transforms: [StandardScaler, OneHotEncoder] }
  batch_size: 8
model: { type: Linear, out_features: 1 }
loss: MSELoss
optimizer: { type: Adam, lr: 0.2 }
trainer: { epochs: 60 }
report: false
`,
    );
    const files = {
      'good.csv': 'kind,other,size\na,x,1\nb,y,8\n',
      'unknown.csv': 'size,kind\n1,c\n',
      'lacking.csv': 'kind\na\n',
      'words.csv': 'size,kind\n1,a\nten,a\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const events = await predicted(Object.keys(files).map((name) => join(folder, name)));
    const found = samples(events);
    expect(found.map(({ row }) => row)).toEqual([2, 3]);
    expect(Object.keys(found[0]!.values!)).toEqual(['price']);
    // The scaler is that of the training rows: two rows of their own have another mean.
    expect(found[0]!.values!.price).toBeCloseTo(7, 0);
    expect(found[1]!.values!.price).toBeCloseTo(16, 0);
    const messages = events.flatMap((event) => (event.event === 'failed' ? [event.message] : []));
    expect(messages).toEqual([
      expect.stringMatching(/unknown\.csv: .*"c" in column "kind", row 2, is in no training row/),
      expect.stringMatching(/lacking\.csv lacks the column "size"$/),
      expect.stringMatching(/words\.csv: column "size" has "ten" in row 3, which is no number$/),
    ]);
  });

  it('tells the classes of texts, of lines and rows, without the training file', async () => {
    const folder = await temporaryFolder();
    const file = (name: string) => join(folder, name);
    const rows = Array.from({ length: 10 }, (_, i) => [`win money ${i}`, `see you at ${i}`]);
    const lines = rows.map(([spam, ham]) => `${spam},spam\n${ham},ham\n`).join('');
    writeFileSync(file('train.csv'), `mail,label\n${lines}`);
    const predicted = await trained(
      folder,
      `
data:
  train: { type: TextDataset, path: ${file('train.csv')}, text: mail, lowercase: true, min_freq: 2 }
  batch_size: 4
model:
  type: Sequential
  layers:
    - { type: EmbeddingBag, embedding_dim: 4, padding_idx: 0 }
    - { type: Linear, out_features: 2 }
loss: CrossEntropyLoss
optimizer: { type: Adam, lr: 0.1 }
trainer: { epochs: 10 }
report: false
`,
    );
    rmSync(file('train.csv'));
    const texts = ['WIN money', 'see you'];
    writeFileSync(file('lines.txt'), `${texts[0]}\r\n\n${texts[1]}`);
    writeFileSync(file('rows.jsonl'), `\n{"mail":"${texts[1]}"}\n`);
    writeFileSync(file('lacking.csv'), 'text\nhello\n');
    const bytes = Uint8Array.of(0xff, 0xfe);
    writeFileSync(file('bytes.txt'), bytes);
    const names = ['lines.txt', 'rows.jsonl', 'lacking.csv', 'bytes.txt'].map(file);
    const events = await predicted(names, { texts });
    const found = samples(events);
    expect(found.map(({ file: from, row, text }) => [from, row, text])).toEqual([
      [undefined, undefined, texts[0]],
      [undefined, undefined, texts[1]],
      [names[0], 1, texts[0]],
      [names[0], 3, texts[1]],
      [names[1], 2, texts[1]],
    ]);
    const classes = found.map((prediction) => prediction.classes![0]!.class);
    expect(classes).toEqual(['spam', 'ham', 'spam', 'ham', 'ham']);
    const messages = events.flatMap((event) => (event.event === 'failed' ? [event.message] : []));
    expect(messages).toEqual([
      expect.stringMatching(/lacking\.csv: there is no column "mail"/),
      expect.stringMatching(/bytes\.txt: it is no text in UTF-8/),
    ]);
    // However long the others of a batch are, a mean leaves their padding out.
    const long = Array(9).fill('see').join(' ');
    const [beside] = samples(await predicted([], { texts: [texts[0]!, long] }));
    expect(beside!.classes![0]!.probability).toBeCloseTo(found[0]!.classes![0]!.probability, 6);
  });

  it('says what it cannot predict', async () => {
    const folder = await temporaryFolder();
    const predicted = await trained(
      folder,
      `
data: { train: { type: FakeTokens, size: 4, length: 3, vocab_size: 5 }, batch_size: 4 }
model: { type: Sequential, layers: [{ type: Embedding, num_embeddings: 5, embedding_dim: 5 }, { type: Permute, dims: [0, 2, 1] }] }
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.1 }
trainer: { epochs: 1 }
report: false
`,
    );
    await expect(predicted(['x'])).rejects.toThrow(
      /data\.train: FakeTokens does not say how a file becomes an input: cannot predict/,
    );
  });

  it('refuses texts for a model of tables', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'rows.csv'), 'x,y\n1,2\n2,3\n');
    const predicted = await trained(
      folder,
      `
data: { train: { type: CSVDataset, path: ${join(folder, 'rows.csv')}, target: y }, batch_size: 2 }
model: { type: Linear, out_features: 1 }
loss: MSELoss
optimizer: { type: SGD, lr: 0.01 }
trainer: { epochs: 1 }
report: false
`,
    );
    await expect(predicted([], { texts: ['hello'] })).rejects.toThrow(
      /data\.train: CSVDataset has samples that are no texts/,
    );
  });
});
