/** Matrix products, batched over equal leading dimensions. */

import { formatShape, numel } from '../../base/shape.ts';
import { arity, check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

export function matmul(call: KernelCall<'matmul'>): Run {
  arity(call, 2);
  checkFloating(call);
  const { transpose_a, transpose_b } = call.attrs;
  const [a, b] = call.inputs.map((input) => input.shape);
  check(
    a!.length >= 2 && b!.length === a!.length,
    `a ${formatShape(a!)} and b ${formatShape(b!)} must be matrices with equal batch dimensions`,
  );
  const [rowsA, columnsA] = a!.slice(-2) as [number, number];
  const [rowsB, columnsB] = b!.slice(-2) as [number, number];
  const [M, K] = transpose_a ? [columnsA, rowsA] : [rowsA, columnsA];
  const [K2, N] = transpose_b ? [columnsB, rowsB] : [rowsB, columnsB];
  check(K === K2, `inner sizes differ: a ${formatShape(a!)}, b ${formatShape(b!)}`);
  const batch = a!.slice(0, -2);
  checkShape('the batch of b', b!.slice(0, -2), batch);
  checkShape('the output', call.outputs[0]!.shape, [...batch, M, N]);

  // Steps between neighbours along m, k and n in the stored matrices.
  const [aM, aK] = transpose_a ? [1, columnsA] : [columnsA, 1];
  const [bK, bN] = transpose_b ? [1, columnsB] : [columnsB, 1];
  return ([A, B], [out]) => {
    for (let i = 0; i < numel(batch); i++) {
      for (let m = 0; m < M; m++) {
        for (let n = 0; n < N; n++) {
          const firstA = i * M * K + m * aM;
          const firstB = i * K * N + n * bN;
          let sum = 0;
          for (let k = 0; k < K; k++) sum += A![firstA + k * aK]! * B![firstB + k * bK]!;
          out![(i * M + m) * N + n] = sum;
        }
      }
    }
  };
}
