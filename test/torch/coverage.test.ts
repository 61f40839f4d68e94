/**
 * What exists here under a name of PyTorch's gives PyTorch's numbers for PyTorch's own test inputs,
 * or stands in `MISSES` with the reason why not. With `TORCHTS_SAMPLES` another recording is
 * compared, with `TORCHTS_COVERAGE` the outcome is written there as a page: see
 * scripts/coverage.mjs.
 */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/engine/native/loader.ts';
import { MISSES } from './misses.ts';
import { coveragePage, type Score } from './page.ts';
import { nameOf, readRecording, runSample, type Sample } from './samples.ts';

const BASE = fileURLToPath(new URL('../fixtures/torch/samples', import.meta.url));
const { samples, numbers } = readRecording(process.env.TORCHTS_SAMPLES ?? BASE);

const groups = new Map<string, Sample[]>();
for (const sample of samples) {
  const name = nameOf(sample);
  groups.set(name, [...(groups.get(name) ?? []), sample]);
}
const scores = new Map<string, Score>();

function score(group: readonly Sample[]): Score {
  const found = group.map((sample) => runSample(sample, numbers));
  const faults = found.flatMap((outcome, i) => {
    const what = 'error' in group[i]! ? 'error sample' : 'sample';
    return outcome.kind === 'different' ? [`${what} ${i}: ${outcome.why}`] : [];
  });
  const same = found.filter((outcome) => outcome.kind === 'same');
  return {
    exists: found.some((outcome) => outcome.kind !== 'missing'),
    samples: found.length,
    same: same.length,
    error: Math.max(0, ...same.map((outcome) => outcome.error)),
    gradientError: Math.max(0, ...same.map((outcome) => outcome.gradientError)),
    faults,
  };
}

describe("PyTorch's samples", () => {
  it.for([...groups])('%s', ([name, group], { skip }) => {
    const found = score(group);
    const without = found.faults.some((fault) => fault.includes('needs LAPACK'));
    skip(without && loadAddon().info().lapack === null, 'LAPACK is missing');
    scores.set(name, found);
    // A name in the list must still be a miss, or it has to leave it.
    if (name in MISSES) expect(found.faults).not.toEqual([]);
    else expect(found.faults.join('\n')).toBe('');
  });

  it('are those of names that stand in the list of misses', () => {
    expect(Object.keys(MISSES).filter((name) => !groups.has(name))).toEqual([]);
  });
});

afterAll(() => {
  const path = process.env.TORCHTS_COVERAGE;
  if (path !== undefined) writeFileSync(path, coveragePage(scores));
});
