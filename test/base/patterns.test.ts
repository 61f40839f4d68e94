import { describe, expect, it } from 'vitest';
import { chosen, idlePatterns, matches } from '../../src/base/patterns.ts';

const NAMES = ['conv.weight', 'layer1.0.weight', 'layer1.0.bias', 'layer10.weight', 'fc.weight'];

describe('a pattern', () => {
  it.each([
    ['fc.*', 'fc.weight', true],
    ['fc', 'fc.weight', true],
    ['f', 'fc.weight', false],
    ['layer1', 'layer10.weight', false],
    ['*.bias', 'layer1.0.bias', true],
    ['layer?.0', 'layer1.0.bias', true],
    ['fc.weight', 'fcxweight', false],
    ['a+(b)', 'a+(b).c', true],
    ['*'.repeat(200), 'fc.weight', true],
  ])('%s, %s: %s', (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it('outdoes those before it', () => {
    expect([...chosen(['*', '!layer1', 'layer1.0.bias'], NAMES)]).toEqual([
      'conv.weight',
      'layer1.0.bias',
      'layer10.weight',
      'fc.weight',
    ]);
    expect(chosen([], NAMES).size).toBe(0);
    expect([...chosen('fc', NAMES)]).toEqual(['fc.weight']);
  });

  it('that matches nothing is told of, with the nearest name', () => {
    expect(idlePatterns(['fc', '!layr1.*', 'zzzzz'], NAMES, 'parameter')).toEqual([
      { index: 1, message: '"layr1.*" matches no parameter; did you mean "layer1"?' },
      { index: 2, message: '"zzzzz" matches no parameter; the first is conv.weight' },
    ]);
    expect(idlePatterns('a', [], 'key')[0]!.message).toBe('"a" matches no key; there is none');
  });
});
