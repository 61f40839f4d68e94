/** The addon in processes and worker threads of its own: environment variables, and ends. */

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { addonPath } from '../../src/engine/native/loader.ts';

/** Defines `addon`, and `queue(runs)`, which queues runs of a fill of a million elements. */
const PRELUDE = `
  const addon = require(${JSON.stringify(addonPath())});
  const storage = new addon.Storage('float32', 1 << 20);
  const executable = new addon.Executable({
    values: [{ dtype: 'float32', shape: [1 << 20] }],
    instructions: [
      { kernel: 'fill', inputs: [], outputs: [0], attrs: { value: 2 }, label: 'fill' },
    ],
    bindings: [{ access: 'write', value: 0 }],
    scalars: [],
  });
  executable.bindings[0] = storage.id;
  const queue = (runs) => Array.from({ length: runs }, () => executable.run());
`;

function node(script: string, env: Record<string, string> = {}): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, ['-e', PRELUDE + script], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
}

describe('environment variables', () => {
  const PRINT_INFO = 'console.log(JSON.stringify(addon.info()));';
  const infoWith = (env: Record<string, string>) => JSON.parse(node(PRINT_INFO, env).stdout);

  test('TORCHTS_ISA chooses the kernels', () => {
    expect(infoWith({ TORCHTS_ISA: 'baseline' })).toMatchObject({ isa: 'baseline' });
    expect(node('', { TORCHTS_ISA: 'mmx' }).stderr).toMatch(
      /TORCHTS_ISA must be baseline, avx2 or avx512, got "mmx"/,
    );
  });

  test.each(['oneDNN', 'LAPACK'])('TORCHTS_%s=0 leaves %s out', (library) => {
    const [variable, name] = [`TORCHTS_${library.toUpperCase()}`, library.toLowerCase()];
    const info = infoWith({ [variable]: '0' });
    expect(info[name]).toBeNull();
    expect(info.providers).toContainEqual({
      name: `torchts_${name}`,
      loaded: false,
      reason: `${variable} is 0`,
    });
  });

  test('TORCHTS_NUM_THREADS sets the threads', () => {
    expect(infoWith({ TORCHTS_NUM_THREADS: '3' })).toMatchObject({ threads: 3 });
    const wrong = node('', { TORCHTS_NUM_THREADS: 'many' });
    expect(wrong.status).not.toBe(0);
    expect(wrong.stderr).toMatch(/TORCHTS_NUM_THREADS must be 1 to 4096, got "many"/);
  });
});

describe('the process', () => {
  test('stays for queued runs, then ends by itself', () => {
    const { status, stdout } = node(`
      Promise.all(queue(20)).then(() => console.log(storage.readSync(new Float32Array(1 << 20))[9]));
    `);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '2\n' });
  });

  test('may exit with runs in the queue', () => {
    const { status, signal } = node('queue(500); setImmediate(() => process.exit(5));');
    expect({ status, signal }).toEqual({ status: 5, signal: null });
  });
});

describe('a worker thread', () => {
  test('has an engine of its own, and may be terminated with runs in the queue', async () => {
    const script = `${PRELUDE}
      const { parentPort } = require('node:worker_threads');
      Promise.all(queue(3)).then(() => {
        parentPort.postMessage(storage.readSync(new Float32Array(1 << 20))[9]);
        queue(500);
      });
    `;
    for (let i = 0; i < 10; i++) {
      const worker = new Worker(script, { eval: true });
      const value = await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      expect(value).toBe(2);
      await worker.terminate();
    }
  });
});
