/** Images in Parquet files, as Hugging Face keeps them. */

import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { ConfigError, FileError } from '../../base/errors.ts';
import { INTERPRETED } from '../../base/registry.ts';
import { ParquetFile } from '../../io/parquet.ts';
import { type DatasetSource, datasets } from '../dataset.ts';
import { resolveFolder, resolveRoot } from '../paths.ts';
import { encodedArguments, encodedSource } from './encoded-set.ts';
import { decodeImage } from './image-files.ts';

const name = z.string().min(1);

const schema = z.strictObject({
  path: z
    .union([name, z.array(name).min(1)])
    .describe('The file, or several; * stands for any part of a name: data/train-*.parquet.'),
  image: name.default('image').describe('The column of images: encoded bytes, or with their path.'),
  label: name.default('label').describe('The column of classes: their numbers, or their names.'),
  classes: z
    .array(name)
    .min(1)
    .optional()
    .describe("The names of the classes. Default: those that the file's metadata name."),
  ...encodedArguments,
});

type Options = z.output<typeof schema>;

/**
 * The rows of all files, in the order of their names. Images are decoded once, a row group at a
 * time, and kept as bytes. https://huggingface.co/docs/datasets/image_dataset
 */
datasets.register('ParquetImageDataset', {
  summary: 'Images in Parquet files, as Hugging Face keeps them, with a class each.',
  schema,
  create: (options: Options): DatasetSource => {
    const files = shards([options.path].flat()).map((path) => new ParquetFile(path));
    const classes = options.classes ?? classNames(files[0]!, options);
    const list = async () => {
      const places = files.flatMap((file) =>
        Array.from({ length: file.groups }, (_, group) => ({ file, group })).flatMap(rowsOf),
      );
      const labels = files.flatMap((file) => labelsOf(file, options.label, classes));
      const images = new GroupReader(options.image);
      return {
        labels: Int32Array.from(labels),
        file: (place: number) => places[place]!.file.path,
        decode: (place: number) => {
          const { file, group, row } = places[place]!;
          const where = `row ${row + 1} of row group ${group + 1} in ${file.path}`;
          return decodeImage(images.bytes(places[place]!), where);
        },
      };
    };
    const paths = files.map(({ path }) => path);
    const identity = ['ParquetImageDataset', paths, options.image, options.label];
    return encodedSource({ classes, name: basename(paths[0]!), identity, list }, options);
  },
});

interface Place {
  readonly file: ParquetFile;
  readonly group: number;
  readonly row: number;
}

function rowsOf({ file, group }: Omit<Place, 'row'>): Place[] {
  return Array.from({ length: file.groupRows(group) }, (_, row) => ({ file, group, row }));
}

/** The files of all patterns. Throws a `FileError` for one that fits none. */
function shards(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => {
    if (!basename(pattern).includes('*')) return [resolveRoot(pattern)];
    const folder = resolveFolder(dirname(pattern));
    const parts = basename(pattern)
      .split('*')
      .map((part) => part.replaceAll(/[^\w-]/g, '\\$&'));
    const fits = new RegExp(`^${parts.join('.*')}$`);
    const names = readdirSync(folder)
      .filter((file) => fits.test(file))
      .sort();
    if (names.length === 0) throw new FileError(`no file fits ${join(folder, basename(pattern))}`);
    return names.map((file) => join(folder, file));
  });
}

const classLabel = z.object({ names: z.array(z.string()).min(1) });

/** What the metadata of Hugging Face's data sets say of the column. */
function classNames(file: ParquetFile, { label }: Options): string[] {
  try {
    const note = JSON.parse(file.note('huggingface') ?? '');
    return classLabel.parse(note.info.features[label], INTERPRETED).names;
  } catch {
    throw new ConfigError(
      `[ParquetImageDataset] ${file.path} does not name the classes of "${label}"; list them in classes`,
    );
  }
}

function labelsOf(file: ParquetFile, column: string, classes: readonly string[]): number[] {
  const values = Array.from({ length: file.groups }, (_, group) => file.values(group, [column]));
  const places = new Map(classes.map((word, i) => [word, i]));
  return values.flat().map((value, row) => {
    const label = typeof value === 'string' ? (places.get(value) ?? -1) : Number(value ?? -1);
    if (Number.isInteger(label) && label >= 0 && label < classes.length) return label;
    throw new FileError(
      `${file.path}: row ${row + 1} has ${JSON.stringify(value, (_, v) => String(v))} in column ` +
        `"${column}", which is none of ${classes.length} classes`,
    );
  });
}

/** The bytes of images, of which one row group at a time is kept. */
class GroupReader {
  #file: ParquetFile | undefined;
  #group = -1;
  #values: unknown[] = [];

  constructor(readonly column: string) {}

  bytes({ file, group, row }: Place): Uint8Array {
    if (file !== this.#file || group !== this.#group) {
      const found = file.columns.find((column) => column.name === this.column);
      const path = found?.isNested ? [this.column, 'bytes'] : [this.column];
      this.#values = file.values(group, path, { asText: false });
      this.#file = file;
      this.#group = group;
    }
    const value = this.#values[row];
    if (value instanceof Uint8Array) return value;
    throw new FileError(
      `${file.path}: row ${row + 1} of row group ${group + 1} has no bytes in "${this.column}"`,
    );
  }
}
