import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { buildFileAtomic, writeDirectoryAtomic, writeFileAtomic } from '../../src/io/atomic.ts';
import { temporaryFolder } from './temporary-folder.ts';

describe('writeFileAtomic', () => {
  it('writes text, bytes and pieces, replacing what was there', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'file');
    await writeFileAtomic(path, 'text');
    expect(await readFile(path, 'utf8')).toBe('text');
    await writeFileAtomic(path, new Uint8Array([1, 2]));
    expect([...(await readFile(path))]).toEqual([1, 2]);
    await writeFileAtomic(path, [new Uint8Array([3]), new Uint8Array(), new Uint8Array([4, 5])]);
    expect([...(await readFile(path))]).toEqual([3, 4, 5]);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('keeps the old file and leaves nothing behind when the contents fail midway', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'file');
    await writeFileAtomic(path, 'old');
    let seenMidway: string[] = [];
    function* failing() {
      yield new Uint8Array(100_000);
      seenMidway = readdirSync(folder);
      throw new Error('no more data');
    }
    await expect(writeFileAtomic(path, failing())).rejects.toThrow(
      new FileError(`cannot write ${path}: no more data`),
    );
    expect(seenMidway).toHaveLength(2);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves nothing behind when the process ends before it is written', async () => {
    const folder = await temporaryFolder();
    const written = buildFileAtomic(join(folder, 'file'), async (handle) => {
      await handle.writeFile('half');
      expect(readdirSync(folder)).toHaveLength(1);
      // What Node calls at the end.
      process.listeners('exit').find(({ name }) => name === 'removeUnfinished')!(0);
      expect(readdirSync(folder)).toEqual([]);
    });
    await expect(written).rejects.toThrow(`cannot write ${join(folder, 'file')}`);
    expect(process.listeners('exit').map(({ name }) => name)).not.toContain('removeUnfinished');
  });

  it('leaves nothing behind when the rename fails', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'taken'));
    await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toThrow(FileError);
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('names the file when its folder does not exist', async () => {
    const path = join(await temporaryFolder(), 'none', 'file');
    await expect(writeFileAtomic(path, 'x')).rejects.toThrow(`cannot write ${path}: ENOENT`);
  });
});

describe('writeDirectoryAtomic', () => {
  const fill = (text: string) => async (folder: string) => {
    await mkdir(join(folder, 'inner'));
    await writeFile(join(folder, 'inner', 'file'), text);
  };

  it('shows the directory only when it is complete', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'step-1');
    let during: string[] = [];
    await writeDirectoryAtomic(path, async (temporary) => {
      await fill('new')(temporary);
      during = readdirSync(folder);
    });
    expect(during).not.toContain('step-1');
    expect(await readFile(join(path, 'inner', 'file'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['step-1']);
  });

  it('leaves nothing behind when the build fails', async () => {
    const folder = await temporaryFolder();
    const build = async (temporary: string) => {
      await fill('half')(temporary);
      throw new Error('disk full');
    };
    const path = join(folder, 'step-1');
    await expect(writeDirectoryAtomic(path, build)).rejects.toThrow(
      new FileError(`cannot write ${path}: disk full`),
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses an existing directory unless told to replace it', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'step-1');
    await writeDirectoryAtomic(path, fill('old'));
    await expect(writeDirectoryAtomic(path, fill('new'))).rejects.toThrow('exists already');
    expect(await readFile(join(path, 'inner', 'file'), 'utf8')).toBe('old');
    await writeDirectoryAtomic(path, fill('new'), { replace: true });
    expect(await readFile(join(path, 'inner', 'file'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['step-1']);
  });

  it('keeps the old directory when its replacement fails', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'step-1');
    await writeDirectoryAtomic(path, fill('old'));
    const build = () => Promise.reject(new Error('disk full'));
    await expect(writeDirectoryAtomic(path, build, { replace: true })).rejects.toThrow('disk full');
    expect(await readFile(join(path, 'inner', 'file'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['step-1']);
  });
});
