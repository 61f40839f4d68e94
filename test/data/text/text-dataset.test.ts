import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { concatDatasets, DataLoader, datasets, subset } from '../../../src/data/index.ts';
import { paddedRows, type TextSamples } from '../../../src/data/text/text-samples.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'texts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const MAIL = `text,label
"Win a prize, win now!",spam
See you at nine,ham
Win win,spam
`;

function write(text: string, name = 'mail.csv'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const source = (options: object = {}, text = MAIL, learned?: unknown) =>
  datasets.build({ type: 'TextDataset', path: write(text), ...options }, { learned });

async function load(options: object = {}, text?: string, learned?: unknown) {
  const dataset = (await source(options, text, learned).load()) as TextSamples;
  return { dataset, ...spelled(dataset) };
}

/** Every sample's tokens as words, and its target. */
function spelled({ sequences, targets, vocabulary, length }: TextSamples) {
  const { tokens, bounds } = sequences;
  const texts = Array.from({ length }, (_, i) =>
    Array.from(tokens.subarray(bounds[i]!, bounds[i + 1]!), (token) => vocabulary[token]),
  );
  return { texts, targets: Array.from(targets, Number) };
}

describe('TextDataset', () => {
  it('numbers words by frequency, behind padding and what is not known', async () => {
    const { dataset, texts, targets } = await load({ lowercase: true });
    expect(dataset.vocabulary.slice(0, 3)).toEqual(['<pad>', '<unk>', 'win']);
    // Equally frequent ones are in their order.
    const rest = ['!', ',', 'a', 'at', 'nine', 'now', 'prize', 'see', 'you'];
    expect(dataset.vocabulary.slice(3)).toEqual(rest);
    expect(texts[0]).toEqual(['win', 'a', 'prize', ',', 'win', 'now', '!']);
    expect([dataset.classes, targets]).toEqual([
      ['ham', 'spam'],
      [1, 0, 1],
    ]);
    expect(dataset.input).toEqual({ dtype: 'int64', shape: [7], varies: true });
    expect([...dataset.lengths]).toEqual([7, 4, 2]);
    expect([...dataset.labels!]).toEqual([1, 0, 1]);
  });

  it.each([
    ['all', {}, 13],
    ['frequent ones', { min_freq: 2 }, 3],
    ['the most frequent ones', { vocab_size: 4 }, 4],
  ])('knows %s of the words', async (_, options, size) => {
    const { dataset } = await load(options, MAIL.replace('Win win', 'win win'));
    expect(dataset.vocabulary).toHaveLength(size);
  });

  it('reads characters and bytes', async () => {
    const text = 'text,label\nhé🙂,a\nH,b\n';
    expect((await load({ tokenizer: 'char' }, text)).texts).toEqual([['h', 'é', '🙂'], ['H']]);
    const bytes = await load({ tokenizer: 'byte' }, text);
    expect(bytes.dataset.vocabulary).toHaveLength(258);
    expect(bytes.texts[0]).toEqual(
      [...Buffer.from('hé🙂')].map((byte) => `<0x${byte.toString(16).toUpperCase()}>`),
    );
    const cut = await load({ tokenizer: 'byte', max_length: 3 }, text);
    expect(cut.texts[0]).toHaveLength(3);
  });

  it('cuts long texts, and takes an empty one for a word that is not known', async () => {
    const { texts, dataset } = await load({ max_length: 2 }, 'text,label\na b c,x\n"",y\n');
    expect(texts).toEqual([['a', 'b'], ['<unk>']]);
    expect(dataset.input.shape).toEqual([2]);
  });

  it('learns from the training part alone', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `word${i},${i % 2 ? 'odd' : 'even'}`);
    const text = `text,label\n${rows.join('\n')}\n`;
    const options = { test_size: 0.2, stratify: true };
    const train = await load({ ...options, split: 'train' }, text);
    const test = await load({ ...options, split: 'test' }, text);
    expect(train.dataset.vocabulary).toHaveLength(18);
    expect(test.dataset.vocabulary).toEqual(train.dataset.vocabulary);
    expect(test.texts).toEqual(Array(4).fill(['<unk>']));
    expect(test.targets.toSorted()).toEqual([0, 0, 1, 1]);
  });

  it('reads as training texts taught, without learning again', async () => {
    const { learned, vocabulary } = source({ lowercase: true });
    const copy = JSON.parse(JSON.stringify(learned));
    const text = 'text,label\nWin NOTHING at all,ham\n';
    const { dataset, texts, targets } = await load({}, text, copy);
    expect(dataset.vocabulary).toEqual(vocabulary);
    expect(texts).toEqual([['win', '<unk>', 'at', '<unk>']]);
    expect(targets).toEqual([0]);
    expect(dataset.input.shape).toEqual([7]);
    // What is gone is missed only when it is read.
    const options = { type: 'TextDataset', path: join(folder, 'gone.csv') };
    expect(datasets.build(options, { learned: copy }).classes).toEqual(['ham', 'spam']);
    expect(() => source({ tokenizer: 'char' }, text, copy)).toThrow(
      'tokenizer is char, but the training texts were read with word',
    );
    await expect(load({}, 'text,label\nhi,eggs\n', copy)).rejects.toThrow('has "eggs"');
    const damaged = { ...copy, vocabulary: 'all' };
    expect(() => source({}, text, damaged)).toThrow('is damaged: vocabulary');
  });

  it('says how texts become inputs, for those who do it elsewhere', () => {
    const { encoder } = source({ lowercase: true, text: 'text' });
    const step = {
      type: 'Tokenize',
      tokenizer: 'word',
      lowercase: true,
      max_length: 7,
    };
    expect(encoder!.preparation).toEqual({ transforms: [step], columns: ['text'] });
  });

  it('takes another file to learn from', async () => {
    const fit = write('text,label\nfirst,a\nsecond,b\n', 'fit.csv');
    const { dataset, texts } = await load({ fit }, 'text,label\nsecond third,b\n');
    expect([dataset.classes, texts]).toEqual([['a', 'b'], [['second']]]);
    expect(dataset.vocabulary).toEqual(['<pad>', '<unk>', 'first', 'second']);
  });

  it('is joined to others that learned from the same file alone', async () => {
    const paths = [write(MAIL), write('text,label\nwin at nine,ham\nyou,spam\n', 'more.csv')];
    const list = (fit?: string) => ({
      type: 'ConcatDataset',
      datasets: paths.map((path) => ({ type: 'TextDataset', path, ...(fit && { fit }) })),
    });
    expect(() => datasets.build(list())).toThrow(
      'token 2 is "at" here, "Win" there; both must learn them from the same texts',
    );
    const both = (await datasets.build(list(paths[0])).load()) as TextSamples;
    expect(spelled(both).texts.slice(2)).toEqual([['Win', 'win'], ['win', 'at', 'nine'], ['you']]);
  });

  it('reads JSON lines, and numbers to predict', async () => {
    const lines = '{"review":"good","stars":5}\n{"review":"123","stars":1.5}\n';
    const path = write(lines, 'reviews.jsonl');
    const { dataset, texts, targets } = await load({ path, text: 'review', target: 'stars' });
    expect(texts).toEqual([['good'], ['123']]);
    expect([dataset.target, targets]).toEqual([{ dtype: 'float32', shape: [1] }, [5, 1.5]]);
    const classes = { path, text: 'review', target: 'stars', task: 'classification' };
    expect((await load(classes)).dataset.classes).toEqual(['1.5', '5']);
  });

  it.each([
    [{ text: 'txt' }, MAIL, 'there is no column "txt"; did you mean "text"?'],
    [{ target: 'kind' }, MAIL, 'there is no column "kind"'],
    [{ path: 'mail.csv.zip' }, MAIL, 'does not exist'],
    [{ tokenizer: 'byte', min_freq: 2 }, MAIL, 'min_freq: all bytes are known'],
    [
      { target: 'label', stratify: true, split: 'train' },
      'text,label\na,1\nb,2\n',
      'needs classes',
    ],
    [{ tokenizer: 'words' }, MAIL, 'tokenizer'],
    [{}, 'text,label\n', 'has no rows'],
  ])('refuses %j', (options, text, message) => {
    expect(() => source(options, text)).toThrow(message);
  });

  it('names the row whose class is missing', async () => {
    await expect(load({}, 'text,label\nhello,a\nbye,\n')).rejects.toThrow('row 3 has no value');
  });
});

describe('batches of texts', () => {
  const words = (count: number) => Array(count).fill('a').join(' ');
  const lengths = [3, 9, 1, 20, 10, 2];
  const text = `text,label\n${lengths.map((count) => `${words(count)},x`).join('\n')}\n`;
  const engine = referenceEngine();

  it('are padded to the longest, of few lengths', async () => {
    const { dataset } = await load({}, text);
    using loader = new DataLoader({ dataset, engine, batch_size: 2 });
    const batches = [...loader.epoch(0)].map(({ length, inputs }) => {
      const values = Array.from(engine.readSync(inputs), Number);
      return [length, values.filter((value) => value === 0).length];
    });
    expect(batches).toEqual([
      [12, 12],
      [20, 19],
      [12, 12],
    ]);
  });

  it('go into buckets, as parts and joined too', async () => {
    const { dataset } = await load({}, text);
    const part = subset(dataset, Int32Array.of(3, 2, 0)) as TextSamples;
    expect([...part.lengths]).toEqual([20, 1, 3]);
    const both = concatDatasets([part, dataset]) as TextSamples;
    expect([...both.lengths]).toEqual([20, 1, 3, ...lengths]);
    using loader = new DataLoader({ dataset: both, engine, batch_size: 4, buckets: [4] });
    const found = [...loader.epoch(0)].map(({ length, indices }) => [length, indices.length]);
    expect(found[0]).toEqual([4, 4]);
  });

  it('are cut to a width', () => {
    const sequences = { tokens: Int32Array.of(5, 6, 7, 8), bounds: Int32Array.of(0, 3, 4) };
    const rows = paddedRows(sequences, Int32Array.of(1, 0), 2);
    expect(Array.from(rows, Number)).toEqual([8, 0, 5, 6]);
  });
});
