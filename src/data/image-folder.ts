/** Images in folders, one folder a class: `root/cat/1.jpg`, `root/dog/a/2.png`. */

import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { FileError } from '../base/errors.ts';
import { datasets } from './dataset.ts';
import { IMAGE_EXTENSIONS, readImage } from './image-files.ts';
import { type ImageData, ImageDataset, prepareImage } from './images.ts';
import { resolveRoot } from './paths.ts';
import { type SplitOptions, splitArguments, splitPlaces } from './split.ts';
import { imageField, preparations, preparedSize, transforms } from './transforms.ts';

const schema = z.strictObject({
  root: z.string().describe('The folder of the folders, whose names are the classes.'),
  transforms: z
    .array(transforms.spec())
    .default([{ type: 'ToTensor' }])
    .describe('What is done to an image, in order; CenterCrop or Resize give all one size.'),
  limit: z
    .int()
    .positive()
    .optional()
    .describe('Takes only the first so many images of each class.'),
  ...splitArguments,
});

/** Images decoded at a time. */
const AT_ONCE = 8;

/**
 * As torchvision's: classes and files in the order of their names, subfolders included. The images
 * are decoded and prepared once, and kept in memory as bytes.
 * https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
 */
datasets.register('ImageFolder', {
  schema,
  create: ({ root, transforms: specs, limit, ...part }: z.output<typeof schema>) => {
    const pipeline = specs.map((spec) => transforms.build(spec));
    const prepared = preparedSize(pipeline, { channels: 3, size: undefined });
    const folder = resolveRoot(root);
    const classes = classFolders(folder);
    return {
      input: imageField(pipeline, prepared),
      target: { dtype: 'int64', shape: [] },
      classes,
      load: async () => {
        const files = classes.map((name) => imageFiles(join(folder, name)).slice(0, limit));
        const chosen = choose(files, part);
        const steps = preparations(pipeline);
        const read = async (path: string) => prepareImage(await readImage(path), steps).data;
        const rest = pipeline.filter((transform) => transform.takes !== 'pixels');
        const data = await readImages(chosen, prepared, read);
        return new ImageDataset({ classes, ...data }, rest);
      },
    };
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

/** The order of Python's `sorted`, whatever the locale. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
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

async function readImages(
  chosen: readonly Labelled[],
  size: { channels: number; height: number; width: number },
  read: (path: string) => Promise<Uint8Array>,
): Promise<Omit<ImageData, 'classes'>> {
  const bytes = size.channels * size.height * size.width;
  const images = new Uint8Array(chosen.length * bytes);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < chosen.length; i = next++) {
      images.set(await read(chosen[i]!.path), i * bytes);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { ...size, images, labels: Int32Array.from(chosen, ({ label }) => label) };
}
