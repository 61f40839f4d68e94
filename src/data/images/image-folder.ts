/** Images in folders, one folder a class: `root/cat/1.jpg`, `root/dog/a/2.png`. */

import { readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { byCodePoint } from '../../base/by-code-point.ts';
import { FileError } from '../../base/errors.ts';
import { datasets } from '../dataset.ts';
import { type SplitOptions, splitArguments, splitPlaces } from '../loading/split.ts';
import { resolveFolder } from '../paths.ts';
import { encodedArguments, encodedSource } from './encoded-set.ts';
import { IMAGE_EXTENSIONS, readImage } from './image-files.ts';

const schema = z.strictObject({
  root: z.string().describe('The folder of the folders, whose names are the classes.'),
  ...encodedArguments,
  ...splitArguments,
});

/**
 * As torchvision's: classes and files in the order of their names, subfolders included. The images
 * are decoded and prepared once, and kept as bytes.
 * https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
 */
datasets.register('ImageFolder', {
  schema,
  create: ({ root, split, test_size, random_state, ...options }: z.output<typeof schema>) => {
    const folder = resolveFolder(root);
    const classes = classFolders(folder);
    const list = async () => {
      const files = classes.map((name) => imageFiles(join(folder, name)));
      const chosen = choose(files, { split, test_size, random_state });
      return {
        labels: Int32Array.from(chosen, ({ label }) => label),
        file: (place: number) => chosen[place]!.path,
        decode: (place: number) => readImage(chosen[place]!.path),
      };
    };
    const identity = ['ImageFolder', folder, split, test_size, random_state];
    const name = split === 'all' ? basename(folder) : `${basename(folder)}-${split}`;
    return encodedSource({ classes, name, identity, list }, options);
  },
});

function classFolders(root: string): string[] {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort(byCodePoint);
  if (folders.length === 0) {
    throw new FileError(`${root} holds no folders; each class needs one with its images`);
  }
  return folders;
}

/** Throws a `FileError` when there is none: an empty class is a mistake, or must be left out. */
function imageFiles(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isImage(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort(byCodePoint);
  if (files.length > 0) return files;
  throw new FileError(`${folder} holds no images (${IMAGE_EXTENSIONS.join(', ')})`);
}

function isImage(name: string): boolean {
  return (IMAGE_EXTENSIONS as readonly string[]).includes(extname(name).toLowerCase());
}

interface Labelled {
  readonly path: string;
  readonly label: number;
}

/** The images of a split, the same part of each class. */
function choose(files: readonly (readonly string[])[], options: SplitOptions): Labelled[] {
  const all = files.flatMap((paths, label) => paths.map((path) => ({ path, label })));
  const labels = Int32Array.from(all, ({ label }) => label);
  return Array.from(splitPlaces(all.length, options, labels), (place) => all[place]!);
}
