import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fingerprint, modified, readStamp, writeStamp } from '../../scripts/setup/freshness.mjs';
import { temporaryFolder } from './temporary.ts';

describe('fingerprint', () => {
  let root: string;
  const now = () => fingerprint(root, ['src', 'tsconfig.json']);

  beforeEach(() => {
    root = temporaryFolder();
    mkdirSync(join(root, 'src/a'), { recursive: true });
    writeFileSync(join(root, 'src/a/one.ts'), '1');
    writeFileSync(join(root, 'tsconfig.json'), '{}');
  });

  it('stays while nothing changes, whatever lies beside', () => {
    const before = now();
    writeFileSync(join(root, 'README.md'), 'x');
    writeFileSync(join(root, 'src/.one.ts.swp'), 'x');
    expect(now()).toBe(before);
    expect(before).toMatch(/^src\/a\/one\.ts 1 .*\ntsconfig\.json 2 .*\n$/);
  });

  it.each([
    ['a file is added', () => writeFileSync(join(root, 'src/two.ts'), '')],
    ['a file is removed', () => rmSync(join(root, 'src/a/one.ts'))],
    ['a size changes', () => writeFileSync(join(root, 'src/a/one.ts'), '11')],
    ['a file is rewritten', () => utimesSync(join(root, 'src/a/one.ts'), 1, 1)],
    ['a listed file goes', () => rmSync(join(root, 'tsconfig.json'))],
  ])('differs when %s', (_what, change) => {
    const before = now();
    change();
    expect(now()).not.toBe(before);
  });
});

describe('stamps', () => {
  it('are read as they were written, and absent before', () => {
    const path = join(temporaryFolder(), 'new/folder/stamp');
    expect(readStamp(path)).toBeUndefined();
    expect(modified(path)).toBeUndefined();
    writeStamp(path, 'contents\n');
    expect(readStamp(path)).toBe('contents\n');
    expect(Date.now() - modified(path)!).toBeLessThan(10_000);
  });
});
