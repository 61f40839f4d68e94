import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { predict } from '../../../src/train/predict.ts';
import { Setting } from '../setting.ts';

const config = (folder: string) => `
name: mail
data:
  train: { type: TextDataset, path: ${folder}/train.csv }
  val: { type: TextDataset, path: ${folder}/train.csv }
  batch_size: 8
  buckets: [2, 4, 8]
model:
  type: Graph
  inputs: [tokens]
  nodes:
    words: { type: Embedding, embedding_dim: 8, padding_idx: 0 }
    placed: { type: PositionalEncoding, d_model: 8, batch_first: true }
    padding: { type: Eq, other: 0, from: tokens }
    encoded:
      type: TransformerEncoder
      encoder_layer: { type: TransformerEncoderLayer, d_model: 8, nhead: 2, dim_feedforward: 16, batch_first: true }
      num_layers: 1
      from: { src: placed, src_key_padding_mask: padding }
    known: { type: Ne, other: 0, from: tokens }
    pooled: { type: MaskedPool, from: [encoded, known] }
    scores: { type: Linear, out_features: 2 }
loss: CrossEntropyLoss
optimizer: { type: Adam, lr: 0.01 }
trainer: { epochs: 12 }
report: false
`;

/** Texts of 1 to 12 words in which one of two words comes, and the others say nothing. */
function mail(): string {
  const rows = Array.from({ length: 48 }, (_, i) => {
    const words = Array.from({ length: 1 + (i % 12) }, (_, j) => `w${(i * 7 + j) % 5}`);
    words[(i * 5) % words.length] = i % 2 === 0 ? 'win' : 'meet';
    return `${words.join(' ')},${i % 2 === 0 ? 'spam' : 'ham'}`;
  });
  return `text,label\n${rows.join('\n')}\n`;
}

describe('a transformer with a padding mask', () => {
  it('learns from texts in buckets, and says the same of a text beside any others', async () => {
    const setting = await Setting.make();
    const { folder } = setting;
    await writeFile(join(folder, 'train.csv'), mail());
    await writeFile(join(folder, 'shades.yaml'), config(folder));
    const { summary } = await setting.train();
    expect(summary.metrics.val_accuracy).toBeGreaterThan(0.95);

    const checkpoint = join(summary.directory, 'checkpoints', 'best');
    const shareOf = async (texts: readonly string[]) => {
      const request = { loaded: setting.config(), checkpoint, topk: 1, threads: 1, texts };
      for await (const event of predict({ ...request, inputs: none() })) {
        if (event.event === 'prediction') return event.classes![0]!.probability;
      }
      return Number.NaN;
    };
    const long = Array(12).fill('meet').join(' ');
    expect(await shareOf(['w1 win', long])).toBeCloseTo(await shareOf(['w1 win']), 5);
  });
});

async function* none(): AsyncGenerator<string, void> {}
