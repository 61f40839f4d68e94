/** The namespace `linalg`: https://pytorch.org/docs/stable/linalg.html */

export { multiDot } from './chain.ts';
export { matmul } from './matmul.ts';
export { vectorNorm } from './norms.ts';
export { linalgCross as cross, vecdot } from './vectors.ts';
