/**
 * A first config for one's own data: one of the configs that come with torchts, with its comments,
 * changed where the data ask for it.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import YAML from 'yaml';
import { ConfigError } from '../base/errors.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import type { Spec } from '../base/registry.ts';
import { datasets } from '../data/index.ts';
import type { Column } from '../data/table/columns.ts';
import { NA_VALUES, readCsv, usualDelimiter } from '../data/table/csv.ts';
import { formatOf } from '../data/table/formats.ts';
import { unknownColumn } from '../data/table/transforms.ts';
import { SCHEMA, type Starter } from './starter-kinds.ts';

export interface StarterRequest {
  readonly kind: Starter;
  /** The file the config is going to be, as its own first line names it. */
  readonly file: string;
  /** A folder of images, a text, or a table; what comes with torchts unless given. */
  readonly data: string | undefined;
  /** The column of a table to predict; the last one unless given. */
  readonly target: string | undefined;
}

/**
 * The text of the config.
 *
 * @throws ConfigError or FileError when the data cannot be trained on.
 */
export function starterConfig({ kind, file, data, target }: StarterRequest): string {
  if (target !== undefined && !(data !== undefined && kind in TABLES)) {
    throw new ConfigError('--target names a column of a CSV file: give --data FILE.csv');
  }
  const text = readFileSync(join(PACKAGE_ROOT, 'configs', 'init', `${kind}.yaml`), 'utf8');
  const body = text.slice(text.indexOf('\n#\n') + 3);
  const own = data === undefined ? body : filled(kind, body, data, target);
  return `# torchts train ${file}\n# yaml-language-server: $schema=${SCHEMA}\n#\n${own}`;
}

function filled(kind: Starter, body: string, data: string, target: string | undefined): string {
  const document = YAML.parseDocument(body);
  FILLERS[kind](document, data, target);
  // The padding that braces get, brackets get too.
  return document.toString({ lineWidth: 100 }).replaceAll(/\[ ([^\][]*) \]/g, '[$1]');
}

const TABLES = { table: true, regression: true, 'text-classification': true };

type Filler = (document: YAML.Document, data: string, target: string | undefined) => void;

const FILLERS: Record<Starter, Filler> = {
  images: fillImages,
  text: fillText,
  'text-classification': fillTexts,
  table: (document, path, target) => fillTable(document, path, target, 'classification'),
  regression: (document, path, target) => fillTable(document, path, target, 'regression'),
};

/** Where the parts of images lie that are trained on and measured, by the usual names. */
const PARTS = { train: ['train', 'training'], val: ['val', 'valid', 'validation', 'test'] };

function fillImages(document: YAML.Document, folder: string): void {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ConfigError(`${folder} is no folder; images need one, with a folder for each class`);
  }
  const parts = partsOf(folder);
  for (const [key, part] of Object.entries(parts)) {
    const path = ['data', key];
    const transforms = document.getIn([...path, 'transforms']) as YAML.YAMLSeq;
    // Crops were made for images of another size.
    if (key === 'train') transforms.items.shift();
    transforms.items.unshift(inline(document, { type: 'Resize', size: [64, 64] }));
    const spec = document.createNode({ type: 'ImageFolder', ...part }) as YAML.YAMLMap;
    spec.set('transforms', transforms);
    document.setIn(path, spec);
  }
  const transforms = [{ type: 'CenterCrop', size: 8 }, 'ToTensor'];
  const { classes } = datasets.build({ type: 'ImageFolder', root: parts.train.root, transforms });
  setClasses(document, classes.length);
}

/** Two folders where there are two, else two parts of one. */
function partsOf(folder: string): Record<'train' | 'val', { root: string; split?: string }> {
  const names = readdirSync(folder);
  const train = PARTS.train.find((name) => names.includes(name));
  const val = PARTS.val.find((name) => names.includes(name));
  if (train !== undefined && val !== undefined) {
    return { train: { root: join(folder, train) }, val: { root: join(folder, val) } };
  }
  return { train: { root: folder, split: 'train' }, val: { root: folder, split: 'test' } };
}

function fillText(document: YAML.Document, path: string): void {
  for (const key of ['train', 'val']) document.setIn(['data', key, 'path'], path);
  const { classes } = datasets.build({ type: 'CharDataset', path, block_size: 1 });
  document.setIn(['model', 'layers', 0, 'vocab_size'], classes.length);
}

/** The texts are the column with the longest words; the target is the last of the others. */
function fillTexts(document: YAML.Document, path: string, wanted: string | undefined): void {
  if (!existsSync(path)) throw new ConfigError(`${path} does not exist`);
  const { columns } = formatOf(path).read(path, { na_values: [] });
  if (wanted !== undefined && !columns.has(wanted)) {
    throw new ConfigError(`${path}: ${unknownColumn(wanted, columns.keys())}`);
  }
  const lengths = [...columns].flatMap(([name, { kind, values }]): [string, number][] =>
    kind === 'text' && name !== wanted ? [[name, values.join('').length]] : [],
  );
  const [text] = lengths.reduce((a, b) => (b[1] > a[1] ? b : a), ['', -1]);
  const target = wanted ?? [...columns.keys()].filter((name) => name !== text).at(-1);
  if (text === '' || target === undefined) {
    throw new ConfigError(`${path} needs a column of texts and one of classes`);
  }
  for (const key of ['train', 'val']) {
    const spec = document.getIn(['data', key]) as YAML.YAMLMap;
    for (const [name, value] of Object.entries({ path, text, target })) spec.set(name, value);
    if (columns.get(target)!.kind === 'numbers') spec.set('task', 'classification');
  }
  const spec = (document.toJS() as { data: { train: Spec } }).data.train;
  setClasses(document, datasets.build(spec).classes.length);
}

function fillTable(
  document: YAML.Document,
  path: string,
  wanted: string | undefined,
  task: 'classification' | 'regression',
): void {
  if (!existsSync(path)) throw new ConfigError(`${path} does not exist`);
  const usual = { delimiter: usualDelimiter(path), na_values: NA_VALUES };
  const { columns } = readCsv(path, usual);
  const target = wanted ?? [...columns.keys()].at(-1)!;
  const column = columns.get(target);
  if (column === undefined) {
    throw new ConfigError(`${path}: ${unknownColumn(target, columns.keys())}`);
  }
  if (task === 'regression' && column.kind === 'text') {
    throw new ConfigError(
      `column "${target}" of ${path} is of words, which are classes: use torchts init table`,
    );
  }
  const features = [...columns].filter(([name]) => name !== target).map(([, found]) => found);
  for (const key of ['train', 'val']) {
    const spec = document.getIn(['data', key]) as YAML.YAMLMap;
    spec.set('path', path);
    spec.set('target', target);
    if (task === 'classification' && column.kind === 'numbers') spec.set('task', task);
    spec.set('transforms', inline(document, transformsFor(features)));
  }
  if (task === 'regression') return;
  const spec = (document.toJS() as { data: { train: Spec } }).data.train;
  setClasses(document, datasets.build(spec).classes.length);
}

function transformsFor(features: readonly Column[]): string[] {
  const hasGaps = features.some(({ kind, values }) =>
    values.some((value) => kind === 'numbers' && Number.isNaN(value)),
  );
  const hasWords = features.some(({ kind }) => kind === 'text');
  return [
    ...(hasGaps ? ['SimpleImputer'] : []),
    ...(hasWords ? ['OneHotEncoder'] : []),
    'StandardScaler',
  ];
}

function setClasses(document: YAML.Document, classes: number): void {
  const layers = document.getIn(['model', 'layers']) as YAML.YAMLSeq;
  (layers.items.at(-1) as YAML.YAMLMap).set('out_features', classes);
}

/** A value in brackets or braces. */
function inline(document: YAML.Document, value: object): YAML.Node {
  const node = document.createNode(value) as YAML.YAMLMap | YAML.YAMLSeq;
  node.flow = true;
  return node;
}
