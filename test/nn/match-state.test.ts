import { describe, expect, it } from 'vitest';
import { nn, ones, type Tensor, tensor, zeros } from '../../src/index.ts';

const state = new Map([
  ['conv.weight', zeros([2, 3])],
  ['norm.num_batches_tracked', zeros([], { dtype: 'int64' })],
  ['fc.weight', zeros([4, 2])],
  ['fc.bias', zeros([4])],
]);

const values = (entries: Record<string, number[]>, prefix = '') =>
  new Map(Object.entries(entries).map(([key, shape]) => [`${prefix}${key}`, ones(shape)]));

const WHOLE = { 'conv.weight': [2, 3], 'fc.weight': [4, 2], 'fc.bias': [4] };

/** A module of which nothing counts but what it has to load. */
const holder = (state: Map<string, Tensor>) =>
  Object.assign(new nn.Identity(), { stateDict: () => state });

const pairsOf = (given: ReadonlyMap<string, Tensor>, options?: nn.MatchOptions) =>
  Object.fromEntries(nn.matchState(holder(state), given, options).pairs);

describe('matchState', () => {
  it('refuses two values under one name', () => {
    const given = values({ 'conv.weight': [2, 3], 'cnv.weight': [2, 3] });
    expect(() => pairsOf(given, { rename: { 'cnv.': 'conv.' } })).toThrow(
      '[matchState] rename: conv.weight and cnv.weight would both be conv.weight',
    );
  });

  it('takes what has its key and shape; a batch norm need not have counted', () => {
    const match = nn.matchState(holder(state), values(WHOLE));
    expect([...match.pairs.keys()]).toEqual(Object.keys(WHOLE));
    expect(match.kept_keys).toEqual([]);
    expect(nn.isWholeMatch(match)).toBe(true);
  });

  it('tells what is missing, unexpected and of another shape, with the nearest name', () => {
    const match = nn.matchState(
      holder(state),
      values({ 'conv.weight': [2, 9], 'fc.weigth': [4, 2] }),
    );
    expect(match).toMatchObject({
      kept_keys: ['conv.weight', 'fc.weight', 'fc.bias'],
      missing_keys: ['fc.weight', 'fc.bias'],
      unexpected_keys: ['fc.weigth'],
      mismatched_keys: [{ key: 'conv.weight', shape: [2, 9], needs: [2, 3] }],
    });
    expect(nn.misfits(match)).toEqual([
      'conv.weight has shape (2, 9), needs (2, 3)',
      'fc.weight is missing; is it fc.weigth?',
      'fc.bias is missing',
      'fc.weigth is unexpected; is it fc.weight?',
    ]);
  });

  it.each(['module.', 'model.', '_orig_mod.', 'backbone.', 'module._orig_mod.'])(
    'takes off %s where all keys begin with it',
    (prefix) => {
      const match = nn.matchState(holder(state), values(WHOLE, prefix));
      expect(match.stripped).toBe(prefix);
      expect(match.pairs.get('fc.bias')).toBe(`${prefix}fc.bias`);
      expect(nn.isWholeMatch(match)).toBe(true);
    },
  );

  it('leaves a beginning alone that the module has too, or that helps nothing', () => {
    const wrapped = new Map([...state].map(([key, value]) => [`model.${key}`, value]));
    expect(nn.matchState(holder(wrapped), values(WHOLE, 'model.')).stripped).toBe('');
    expect(nn.matchState(holder(state), values({ a: [1] }, 'model.')).stripped).toBe('');
    expect(nn.matchState(holder(state), new Map()).stripped).toBe('');
  });

  it('takes only what begins with `prefix`, renames, and excludes by patterns', () => {
    const given = new Map([...values(WHOLE, 'net.'), ...values({ other: [1] })]);
    const match = nn.matchState(holder(state), given, { prefix: 'net.' });
    expect(match.excluded_keys).toEqual(['other']);
    expect(nn.isWholeMatch(match)).toBe(true);
    const head = values({ 'conv.weight': [2, 3], 'head.weight': [4, 2], 'head.bias': [4] });
    expect(pairsOf(head, { rename: { 'head.': 'fc.' } })).toMatchObject({ 'fc.bias': 'head.bias' });
    const without = nn.matchState(holder(state), values(WHOLE), { exclude: 'fc.*' });
    expect(without).toMatchObject({ excluded_keys: ['fc.weight', 'fc.bias'], missing_keys: [] });
    expect(without.kept_keys).toEqual(['fc.weight', 'fc.bias']);
    expect(() => nn.matchState(holder(state), values(WHOLE), { exclude: ['fcc.*'] })).toThrow(
      'exclude: "fcc.*" matches no key; did you mean "fc"?',
    );
  });

  it('needs one value for a tensor that stands under two keys', () => {
    const shared = zeros([4, 2]);
    const tied = new Map([
      ['embedding', shared],
      ['head', shared],
    ]);
    const match = nn.matchState(holder(tied), values({ embedding: [4, 2] }));
    expect(nn.isWholeMatch(match)).toBe(true);
  });

  it('counts conversions', () => {
    const half = new Map([['fc.bias', ones([4], { dtype: 'float16' })]]);
    expect(nn.matchState(holder(state), half).conversions).toEqual({ 'float16 to float32': 1 });
  });
});

describe('loadMatching', () => {
  it('copies what fits, and leaves the rest', () => {
    const model = new nn.Sequential([
      new nn.Linear({ in_features: 2, out_features: 2 }),
      new nn.Linear({ in_features: 2, out_features: 1 }),
    ]);
    const before = model.stateDict().get('1.weight')!.tolist();
    const match = nn.loadMatching(
      model,
      new Map([
        ['module.0.weight', tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'float64' })],
        ['module.0.bias', tensor([5, 6])],
        ['module.1.bias', tensor([7])],
        ['module.1.weight', ones([3, 2])],
      ]),
    );
    expect(model.stateDict().get('0.weight')!.tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(model.stateDict().get('0.weight')!.dtype).toBe('float32');
    expect(model.stateDict().get('1.bias')!.tolist()).toEqual([7]);
    expect(model.stateDict().get('1.weight')!.tolist()).toEqual(before);
    expect(match.mismatched_keys.map(({ key }) => key)).toEqual(['1.weight']);
  });

  it('is for those who do not want an error: loadStateDict is strict about all of it', () => {
    const model = new nn.BatchNorm1d({ num_features: 2 });
    const state = model.stateDict();
    state.delete('num_batches_tracked');
    expect(model.loadStateDict(state).missing_keys).toEqual([]);
    state.delete('bias');
    expect(() => model.loadStateDict(state)).toThrow('bias is missing');
    expect(model.loadStateDict(state, { strict: false }).missing_keys).toEqual(['bias']);
  });
});
