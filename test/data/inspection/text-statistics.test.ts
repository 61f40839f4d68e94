import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { textLines, textTable } from '../../../src/cli/text-lines.ts';
import { type Dataset, datasets, subset } from '../../../src/data/index.ts';
import { textStatistics } from '../../../src/data/inspection/text-statistics.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

async function texts(rows: string, options: object = {}): Promise<Dataset> {
  const path = join(await temporaryFolder(), 'texts.csv');
  await writeFile(path, `text,label\n${rows}`);
  return datasets.build({ type: 'TextDataset', path, ...options }).load();
}

describe('statistics of texts', () => {
  it('tell the vocabulary, what is not known, lengths, and a text of each class', async () => {
    const dataset = await texts('aa bb,x\naa cc dd ee,y\naa,x\n', { min_freq: 2 });
    const found = textStatistics(dataset);
    expect(found).toEqual({
      ...{ vocabulary: 3, unknown: 4 / 7, median_length: 2, p95_length: 4 },
      examples: [
        { class: 'x', text: 'aa <unk>' },
        { class: 'y', text: 'aa <unk> <unk> <unk>' },
      ],
    });
    const [line, ...others] = textLines({ texts: found });
    expect(others).toEqual([]);
    expect(line).toBe(
      "  texts   3 tokens are known, 57.1% of the texts' are not; half have at most 2, 95% at most 4",
    );
    expect(textTable({ texts: found })).toMatch(/^class +text\n.*\nx +aa <unk>\ny +aa <unk>/);
    // Of a part only the classes that are there.
    const part = textStatistics(subset(dataset, Int32Array.of(1)));
    expect(part!.examples.map((example) => example.class)).toEqual(['y']);
  });

  it('show characters as they stand, and only the beginning of texts with numbers', async () => {
    const rows = Array.from({ length: 7 }, (_, i) => `${'ab'.repeat(20)},${i}\n`).join('');
    const found = textStatistics(await texts(rows, { tokenizer: 'char' }))!;
    expect(found.examples).toEqual(Array(5).fill({ text: 'ab'.repeat(12) }));
    expect(textTable({ texts: found })).toMatch(/^text *\n-+\nabab/);
  });

  it('are none of other samples', async () => {
    const other = datasets.build({ type: 'FakeTokens', size: 4, length: 3, vocab_size: 5 });
    expect(textStatistics(await other.load())).toBeUndefined();
    expect([textLines({}), textTable({})]).toEqual([[], '']);
  });
});
