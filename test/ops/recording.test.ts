/** The recorded answers of PyTorch belong to the cases as they are now. */

import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { withEngine } from '../../src/index.ts';
import { CASES } from './cases.ts';
import { recordedCases, requestFor, requestOf } from './recorded.ts';

const asked = CASES.filter((opCase) => opCase.torch !== undefined);
const target = process.env.TORCHTS_RECORD;

if (target !== undefined) {
  test('writes the requests for make_ops.py', () => {
    const requests = withEngine(referenceEngine(), () => asked.map(requestFor));
    writeFileSync(target, JSON.stringify(requests));
    expect(requests.length).toBeGreaterThan(0);
  });
} else {
  test('every case with a PyTorch expression has a fresh answer, and no answer is left over', () => {
    const recorded = recordedCases();
    const stale = asked.filter((opCase) => recorded[opCase.name]?.request !== requestOf(opCase));
    expect(stale.map(({ name }) => name)).toEqual([]);
    expect(Object.keys(recorded)).toHaveLength(asked.length);
  });
}
