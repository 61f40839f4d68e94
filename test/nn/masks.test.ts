import { describe, expect, it } from 'vitest';
import { cat, manualSeed, nn, type Tensor, tensor, zeros } from '../../src/index.ts';

const TOKENS = [
  [4, 2, 3, 0, 0],
  [5, 1, 2, 3, 4],
  [1, 0, 0, 0, 0],
];

const MASK = TOKENS.map((row) => row.map((token) => token !== 0));

/** The greatest difference between two arrays of numbers, however they are nested. */
function difference(a: unknown, b: unknown): number {
  const [x, y] = [a, b].map((value) => (value as unknown[]).flat(Infinity) as number[]);
  expect(x!.length).toBe(y!.length);
  return Math.max(...x!.map((value, i) => Math.abs(value - y![i]!)));
}

describe('Eq and Ne', () => {
  it('tell padding from tokens', () => {
    const tokens = tensor(TOKENS, { dtype: 'int64' });
    expect(new nn.Ne({ other: 0 }).call(tokens).tolist()).toEqual(MASK);
    const padding = MASK.map((row) => row.map((counts) => !counts));
    expect(new nn.Eq({ other: 0 }).call(tokens).tolist()).toEqual(padding);
    expect(String(new nn.Eq({ other: 0 }))).toBe('Eq(other=0)');
  });
});

describe('MaskedPool', () => {
  const input = tensor([
    [
      [1, -1],
      [3, -5],
      [100, 100],
    ],
    [
      [7, 8],
      [50, 50],
      [60, 60],
    ],
    [
      [7, 8],
      [50, 50],
      [60, 60],
    ],
  ]);
  const mask = tensor([
    [true, true, false],
    [true, false, false],
    [false, false, false],
  ]);

  it.each([
    ['mean', [2, -3]],
    ['max', [3, -1]],
    ['last', [3, -5]],
  ] as const)('takes the %s of the steps that count', (mode, first) => {
    const pooled = new nn.MaskedPool({ mode }).call(input, mask).tolist();
    expect(pooled).toEqual([first, [7, 8], [0, 0]]);
  });

  it('says what does not fit', () => {
    const pool = new nn.MaskedPool();
    expect(() => pool.call(input, mask.to('float32'))).toThrow(
      'input (3, 3, 2) and mask float32 (3, 3): needs (N, L, E), bool (N, L)',
    );
    expect(() => pool.call(...([input] as unknown as [Tensor, Tensor]))).toThrow('mask none');
  });
});

describe('PositionalEncoding', () => {
  it('adds sines and cosines of the position', () => {
    const encoding = new nn.PositionalEncoding({ d_model: 4, max_len: 3, batch_first: true });
    encoding.eval();
    const angles = (t: number) => [t, t, t / 100, t / 100];
    const expected = [0, 1, 2].map((t) =>
      angles(t).map((angle, i) => (i % 2 === 0 ? Math.sin(angle) : Math.cos(angle))),
    );
    expect(difference(encoding.call(zeros([1, 3, 4])).tolist(), [expected])).toBeLessThan(1e-6);
    const timeFirst = new nn.PositionalEncoding({ d_model: 4, max_len: 3, dropout: 0 });
    const second = [[expected[0]], [expected[1]]];
    expect(difference(timeFirst.call(zeros([2, 1, 4])).tolist(), second)).toBeLessThan(1e-6);
    expect([...encoding.stateDict()].map(([key, { shape }]) => [key, shape])).toEqual([
      ['pe', [3, 1, 4]],
    ]);
    expect(() => encoding.call(zeros([1, 4, 4]))).toThrow('L at most 3');
  });
});

const HEAD = {
  keep: { type: 'Ne', other: 0, from: 'tokens' },
  pool: { type: 'MaskedPool', from: ['encoded', 'keep'] },
  head: { type: 'Linear', out_features: 2 },
};
const ROWS = { type: 'Embedding', num_embeddings: 6, embedding_dim: 8, padding_idx: 0 };
const LAYER = {
  type: 'TransformerEncoderLayer',
  ...{ d_model: 8, nhead: 2, dim_feedforward: 16, batch_first: true },
};

const GRAPHS: Record<string, object> = {
  'a transformer with a padding mask': {
    rows: ROWS,
    placed: { type: 'PositionalEncoding', d_model: 8, batch_first: true },
    padding: { type: 'Eq', other: 0, from: 'tokens' },
    encoded: {
      type: 'TransformerEncoder',
      ...{ encoder_layer: LAYER, num_layers: 2 },
      from: { src: 'placed', src_key_padding_mask: 'padding' },
    },
    ...HEAD,
  },
  'a layer of attention': {
    rows: ROWS,
    padding: { type: 'Eq', other: 0, from: 'tokens' },
    encoded: {
      type: 'MultiheadAttention',
      ...{ embed_dim: 8, num_heads: 2, batch_first: true },
      from: { query: 'rows', key: 'rows', value: 'rows', key_padding_mask: 'padding' },
    },
    ...HEAD,
  },
  'the mean of an LSTM': {
    rows: ROWS,
    encoded: { type: 'LSTM', hidden_size: 5, batch_first: true },
    ...HEAD,
  },
  'the last step of a GRU': {
    rows: ROWS,
    encoded: { type: 'GRU', hidden_size: 5, batch_first: true },
    ...HEAD,
    pool: { ...HEAD.pool, mode: 'last' },
  },
  'a bag of embeddings': {
    bag: { ...ROWS, type: 'EmbeddingBag' },
    head: { type: 'Linear', out_features: 2 },
  },
};

describe('how much padding there is', () => {
  const tokens = tensor(TOKENS, { dtype: 'int64' });
  const more = cat([tokens, zeros([3, 4], { dtype: 'int64' })], 1);

  it.each(Object.entries(GRAPHS))('changes nothing for %s: values and gradients', (_, nodes) => {
    manualSeed(3);
    const spec = { type: 'Graph', inputs: ['tokens'], nodes };
    const model = nn.build(spec, { input: tokens }).eval();
    const results = [tokens, more].map((input) => {
      model.zeroGrad();
      const output = model.call(input);
      output.square().sum().backward();
      return [output, ...model.parameters().map(({ grad }) => grad!)].map((x) => x.tolist());
    });
    expect(difference(results[1], results[0])).toBeLessThan(1e-5);
  });

  it('changes values where nothing masks it', () => {
    const nodes = {
      rows: ROWS,
      encoded: { type: 'TransformerEncoder', encoder_layer: LAYER, num_layers: 1 },
      ...HEAD,
    };
    manualSeed(3);
    const model = nn.build({ type: 'Graph', inputs: ['tokens'], nodes }, { input: tokens }).eval();
    const [first, second] = [tokens, more].map((input) => model.call(input).tolist());
    expect(difference(second, first)).toBeGreaterThan(1e-3);
  });
});

describe('arguments by name in a Graph', () => {
  const nodes = (from: object, other = {}) => ({
    type: 'Graph',
    inputs: ['x'],
    nodes: {
      rows: ROWS,
      padding: { type: 'Eq', other: 0, from: 'x' },
      encoded: { type: 'TransformerEncoder', encoder_layer: LAYER, num_layers: 1, ...other, from },
    },
  });
  const build = (spec: object) => nn.build(spec, { input: tensor(TOKENS, { dtype: 'int64' }) });

  it.each([
    [{ src: 'rows', src_padding_mask: 'padding' }, 'is it src_key_padding_mask?'],
    [{ src: 'rows', mask: 'pading' }, 'did you mean "padding"?'],
    [{ src_key_padding_mask: 'padding' }, 'is not used'],
  ])('refuses %j', (from, message) => {
    expect(() => build(nodes(from))).toThrow(message);
  });

  it('refuses names for modules that have none, also in code', () => {
    const spec = nodes({});
    const sum = { type: 'Add', from: { a: 'rows', b: 'rows' } };
    expect(() => build({ ...spec, nodes: { rows: ROWS, sum } })).toThrow(
      'Add] takes its inputs by place, not by name',
    );
    const add = { module: new nn.Add(), from: { a: 'input', b: 'input' } };
    expect(() => new nn.Graph({ nodes: { add } })).toThrow('by place');
  });
});
