import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { describe, expect, it } from 'vitest';
import YAML from 'yaml';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import type { Json } from '../../src/config/json-schema-form.ts';
import { registries } from '../../src/config/registries.ts';
import { transforms } from '../../src/data/index.ts';
import { shippedConfigs } from './configs.ts';

const schema = configJsonSchema(registries);
const definitions = schema.definitions as Record<string, Json>;
// Editors know more keywords than the draft, and types may be lists.
const ajv = new Ajv({ strict: false, allErrors: true });
const validate = ajv.compile(schema);

/** Where `config` is at fault, innermost places only: those that lead to others say no more. */
function faults(config: unknown): string[] {
  if (validate(config)) return [];
  const places = validate.errors!.map(placeOf);
  const inner = places.filter((at) => !places.some((other) => other.startsWith(`${at}/`)));
  return [...new Set(inner)].sort();
}

function placeOf({ instancePath, params }: ErrorObject): string {
  const key = params.additionalProperty ?? params.missingProperty;
  return key === undefined ? instancePath : `${instancePath}/${key}`;
}

const base = () => YAML.parse(readFileSync('configs/cifar10-cnn.yaml', 'utf8'));

/** The config with the value at `keys` changed, or removed where it is undefined. */
function changed(keys: string, value: unknown): unknown {
  const config = base();
  const parts = keys.split('.');
  const last = parts.pop()!;
  const parent = parts.reduce((object, key) => object[key], config);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return config;
}

describe.each(shippedConfigs)('%s', (file) => {
  it('is valid', () => {
    expect(faults(YAML.parse(readFileSync(file, 'utf8')))).toEqual([]);
  });

  it('names the schema for editors', () => {
    const relative = path.relative(path.dirname(file), 'configs/torchts.schema.json');
    expect(readFileSync(file, 'utf8').split('\n')[1]).toBe(
      `# yaml-language-server: $schema=${relative}`,
    );
  });
});

describe('a config', () => {
  it.each<[string, unknown, string[]]>([
    ['sed', 1, ['/sed']],
    ['seed', 'x', ['/seed']],
    ['seed', -1, ['/seed']],
    ['device', 'gpu', ['/device']],
    ['name', '../up', ['/name']],
    ['loss', undefined, ['/loss']],
    ['loss', 'CrossEntropy', ['/loss']],
    ['optimizer', 'SGD', []],
    ['optimizer.lrr', 1, ['/optimizer/lrr']],
    ['optimizer.lr', 'fast', ['/optimizer/lr']],
    ['optimizer.type', 'Sgd', ['/optimizer/type']],
    ['model.layers.0.out_channels', 'ten', ['/model/layers/0/out_channels']],
    ['model.layers.0.out_channels', 0, ['/model/layers/0/out_channels']],
    ['model.layers.0.kernel_size', [5, 'x'], ['/model/layers/0/kernel_size/1']],
    ['model.layers.0.kernel_size', undefined, ['/model/layers/0/kernel_size']],
    ['model.layers.0.padding', 'same', []],
    ['model.layers.0.padding', 'sane', ['/model/layers/0/padding']],
    ['model.layers.1', 'Linear', ['/model/layers/1']],
    ['model.layers.1', null, ['/model/layers/1']],
    ['data.train.transforms.1.std', 0.5, ['/data/train/transforms/1/std']],
    ['data.train.splt', 'train', ['/data/train/splt']],
    ['trainer', { log_every: 5 }, ['/trainer/epochs', '/trainer/max_steps']],
    ['trainer', { max_steps: 5 }, []],
    ['expect', { val_loss: {} }, ['/expect/val_loss/max', '/expect/val_loss/min']],
  ])('with %s: %j is at fault at %j', (keys, value, expected) => {
    expect(faults(changed(keys, value))).toEqual(expected);
  });

  it('may have environment variables in place of numbers, words and names', () => {
    for (const keys of ['seed', 'device', 'name', 'optimizer.lr', 'model.layers.0.kernel_size']) {
      expect(faults(changed(keys, '${VALUE}')), keys).toEqual([]);
      expect(faults(changed(keys, '${VALUE:-3}')), keys).toEqual([]);
    }
    expect(faults(changed('model.layers.0.kernel_size', ['${A}', 3]))).toEqual([]);
  });

  it("may name a user's own code, with any arguments", () => {
    expect(faults(changed('loss', './losses.ts#Focal'))).toEqual([]);
    expect(faults(changed('loss', { type: '../losses.ts#Focal', gamma: 2 }))).toEqual([]);
  });
});

describe('a config that extends another', () => {
  const faultsOfPatch = (patch: object) => faults({ extends: 'base.yaml', ...patch });

  it('need not have what the other one has, and may remove it', () => {
    const patch = { optimizer: { lr: 0.1 }, data: { batch_size: 8, val: null }, scheduler: null };
    expect(faultsOfPatch(patch)).toEqual([]);
    expect(faultsOfPatch({ trainer: { early_stopping: { mode: null } } })).toEqual([]);
    expect(faultsOfPatch({ trainer: { $replace: true, epochs: 3 }, $delete: ['expect'] })).toEqual(
      [],
    );
  });

  it('is still checked', () => {
    expect(faultsOfPatch({ optimizer: { type: 'SGD', lrr: 0.1 } })).toEqual(['/optimizer/lrr']);
    expect(faultsOfPatch({ data: { batch_size: 'x' } })).toEqual(['/data/batch_size']);
    expect(faultsOfPatch({ trainer: { $replace: false } })).toEqual(['/trainer/$replace']);
    expect(faultsOfPatch({ seed: -1, extend: 1 })).toEqual(['/extend', '/seed']);
    const layers = [{ type: 'Linear' }];
    expect(faultsOfPatch({ model: { type: 'Sequential', layers } })).toEqual([
      '/model/layers/0/out_features',
    ]);
  });
});

describe('the schema', () => {
  it('knows every type of every registry, with every argument', () => {
    for (const registry of [...Object.values(registries), transforms]) {
      const name = registry.kind.replaceAll(' ', '_');
      for (const type of registry.names()) {
        const { properties } = definitions[`${name}.${type}`] as { properties: Json };
        const keys = Object.keys(registry.argumentsOf(type).shape);
        expect(Object.keys(properties)).toEqual(['type', ...keys]);
      }
    }
  });

  it('leads to nothing that is not there', () => {
    const references = JSON.stringify(schema).match(/#\/definitions\/[^"]+/g)!;
    const missing = references.filter((to) => !(to.replace('#/definitions/', '') in definitions));
    expect(missing).toEqual([]);
  });

  it('has no value that may be anything', () => {
    const open = Object.entries(definitions).flatMap(([name, { properties = {} }]) =>
      Object.entries(properties as Json).flatMap(([key, field]) =>
        Object.keys(field as Json).some((keyword) => KEYWORDS.includes(keyword))
          ? []
          : `${name}.${key}`,
      ),
    );
    expect(open).toEqual([]);
  });
});

/** One of these must stand in a schema that refuses anything. */
const KEYWORDS = ['type', 'const', 'enum', 'anyOf', 'allOf', '$ref', 'not'];
