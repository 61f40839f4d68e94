import { describe, expect, it, vi } from 'vitest';
import { toValue } from '../../src/config/tree.ts';
import { parseYaml } from '../../src/config/yaml.ts';

const parse = (text: string) => parseYaml(text, { file: 'a.yaml', lines: text.split('\n') });

/** What is wrong with `text`: the first line of each fault. */
function faults(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message.split('\n').filter((line) => !line.startsWith('    '));
  }
  return [];
}

describe('parseYaml', () => {
  it('reads the core schema of YAML 1.2', () => {
    const text = 'a: 1e-3\nb: yes\nc: 2024-01-01\nd: ~\ne: [1, true, "x"]\nf: 0o17\n1: one\n';
    expect(toValue(parse(text))).toEqual({
      a: 0.001,
      b: 'yes',
      c: '2024-01-01',
      d: null,
      e: [1, true, 'x'],
      f: 15,
      '1': 'one',
    });
  });

  it('reads environment variables: a plain one as YAML, a quoted one as text, never structure', () => {
    vi.stubEnv('LR', '1e-2');
    vi.stubEnv('LIST', '[1, 2]');
    vi.stubEnv('NAME', 'a: b');
    const text =
      'a: { lr: ${LR}, text: "${LR}", both: run-${LR}-${LR} }\n' +
      'b: ${LIST}\nc: ${NAME}\nd: ${UNSET:-3}\ne: ${UNSET:-}\nf: "$${LR} costs $5" # ${UNSET}\n';
    expect(toValue(parse(text))).toEqual({
      a: { lr: 0.01, text: '1e-2', both: 'run-1e-2-1e-2' },
      b: '[1, 2]',
      c: 'a: b',
      d: 3,
      e: null,
      f: '${LR} costs $5',
    });
    vi.unstubAllEnvs();
  });

  it.each([
    [
      'a: { b: ${TORCHTS_NOT_SET} }',
      'a.yaml:1:9 the environment variable TORCHTS_NOT_SET is not set',
    ],
    [
      'a: ${1}',
      'a.yaml:1:4 "${" begins the name of an environment variable, as in ${NAME}; "$${" does not',
    ],
    ['a: \ue001', 'a.yaml:1:4 a character for private use (U+E000 to U+E07F)'],
  ])('refuses %j', (text, expected) => {
    expect(faults(text)).toEqual([expected]);
  });

  it('expands aliases', () => {
    expect(toValue(parse('a: &x { b: 1 }\nc: *x\n'))).toEqual({ a: { b: 1 }, c: { b: 1 } });
  });

  it.each([
    ['a: 1\nb: 2\na: 3', ['a.yaml:3:1 duplicate key "a"; it stands already in line 1']],
    ['{ a: 1, "a": 2 }', ['a.yaml:1:9 duplicate key "a"; it stands already in line 1']],
    ['__proto__: { x: 1 }', ['a.yaml:1:1 "__proto__" cannot be a key']],
    [
      'a: { constructor: 1, prototype: 2 }',
      ['a.yaml:1:6 "constructor" cannot be a key', 'a.yaml:1:22 "prototype" cannot be a key'],
    ],
    ['a: &x { b: 1 }\nc: { <<: *x }', ['a.yaml:2:6 merge keys (<<) are not read; use "extends"']],
    ['? [a, b]\n: 1', ['a.yaml:1:3 a key must be a word']],
    ['~: 1', ['a.yaml:1:1 a key must be a word']],
    ['a: !own 1', ['a.yaml:1:4 unresolved tag: !own']],
    ['a: !!binary aGk=', ['a.yaml:1:4 unresolved tag: tag:yaml.org,2002:binary']],
    ['a: *nowhere', ['a.yaml:1:4 no anchor &nowhere above']],
    [
      'a: [1, 2',
      [
        'a.yaml:1:9 flow sequence in block collection must be sufficiently indented and end with a ]',
      ],
    ],
    ['a: b: c', ['a.yaml:1:4 nested mappings are not allowed in compact mappings']],
    ['a:\n\t- x', ['a.yaml:2:1 tabs are not allowed as indentation']],
    ['a: 1\n---\nb: 2', ['a.yaml:2:1 a second document begins here; a config is one document']],
  ])('refuses %j', (text, expected) => {
    expect(faults(text)).toEqual(expected);
  });

  it.each([
    ['brackets', '['.repeat(100), 'a.yaml:1:65 nested more than 64 deep'],
    ['a line of dashes', `a:\n${'- '.repeat(100)}`, 'a.yaml:2:129 nested more than 64 deep'],
    ['braces', '{a: '.repeat(200_000), 'a.yaml:1:257 nested more than 64 deep'],
    ['explicit keys', '? '.repeat(400_000), 'a.yaml:1:129 nested more than 64 deep'],
    [
      'indentation',
      Array.from({ length: 70 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      'a.yaml:65:65 nested more than 64 deep',
    ],
    ['an alias inside its own anchor', 'a: &x [*x]', 'a.yaml:1:8 nested more than 64 deep'],
  ])('refuses what is nested too deep by %s, at once', (_, text, message) => {
    const start = performance.now();
    expect(faults(text)).toEqual([message]);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('refuses aliases that explode', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let i = 1; i < 10; i++) {
      lines.push(`a${i}: &a${i} [${new Array(9).fill(`*a${i - 1}`).join(', ')}]`);
    }
    const [message] = faults(lines.join('\n'));
    expect(message).toMatch(/^a\.yaml:\d+:\d+ more than 100 aliases after expanding them$/);
  });

  it('finds duplicates among many keys in little time', () => {
    const text = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
    expect(faults(`${text}\nk7: 1`)).toEqual([
      'a.yaml:50001:1 duplicate key "k7"; it stands already in line 8',
    ]);
  });
});
