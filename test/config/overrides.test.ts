import { describe, expect, it } from 'vitest';
import { applyOverride } from '../../src/config/overrides.ts';
import { asObject, toValue } from '../../src/config/tree.ts';
import { parseYaml } from '../../src/config/yaml.ts';

const TEXT =
  'optimizer: { type: SGD, lr: 0.1 }\nlayers: [ReLU, { type: Linear, out: 3 }]\nempty: []\n';
const tree = asObject(parseYaml(TEXT, { file: 'a.yaml', lines: TEXT.split('\n') }));
const overridden = (...overrides: string[]) => toValue(overrides.reduce(applyOverride, tree));

describe('applyOverride', () => {
  it('sets values read as YAML', () => {
    expect(overridden('optimizer.lr=1e-2', 'optimizer.nesterov=true', 'name=a=b')).toMatchObject({
      optimizer: { type: 'SGD', lr: 0.01, nesterov: true },
      name: 'a=b',
    });
    expect(overridden('optimizer={ type: Adam, betas: [0.9, 0.99] }')).toMatchObject({
      optimizer: { type: 'Adam', betas: [0.9, 0.99] },
    });
  });

  it('reaches into lists by both spellings', () => {
    expect(overridden('layers.1.out=4')).toMatchObject({
      layers: ['ReLU', { type: 'Linear', out: 4 }],
    });
    expect(overridden('layers[1].out=5')).toMatchObject({
      layers: ['ReLU', { type: 'Linear', out: 5 }],
    });
  });

  it('gives arguments to a bare word', () => {
    expect(overridden('layers.0.inplace=true')).toMatchObject({
      layers: [{ type: 'ReLU', inplace: true }, {}],
    });
  });

  it('creates what is missing and removes on null', () => {
    expect(overridden('trainer.epochs=3')).toMatchObject({ trainer: { epochs: 3 } });
    expect(overridden('optimizer.lr=null')).toHaveProperty('optimizer', { type: 'SGD' });
  });

  it('leaves the tree it was given alone', () => {
    overridden('optimizer.lr=5');
    expect(overridden()).toHaveProperty('optimizer.lr', 0.1);
  });

  it.each([
    ['optimizer.lr', 'expected key=value, got "optimizer.lr"', 1],
    ['=3', 'expected key=value, got "=3"', 1],
    ['a=', 'expected key=value, got "a="', 1],
    ['layers.7.out=1', 'layers has items 0 to 1; there is no 7', 8],
    ['layers.-1=x', 'layers is a list; "-1" is not an index', 8],
    ['layers.first=x', 'layers is a list; "first" is not an index', 8],
    ['empty.0=x', 'empty is empty; there is no 0', 7],
    ['a..b=1', '"a..b" is not a path such as optimizer.lr or model.layers.0.bias', 1],
    ['a.=1', '"a." is not a path such as optimizer.lr or model.layers.0.bias', 1],
    ['a[0=1', '"a[0" is not a path such as optimizer.lr or model.layers.0.bias', 1],
    ['a.__proto__.x=1', '"__proto__" cannot be a key', 3],
    ['a={ __proto__: 1 }', '"__proto__" cannot be a key', 5],
    ['optimizer=[1', 'flow sequence must end with a ]', 13],
  ])('refuses %s', (argument, message, column) => {
    expect(() => applyOverride(tree, argument)).toThrow(
      `command line: ${message}\n    ${argument}\n    ${' '.repeat(column - 1)}^`,
    );
  });
});
