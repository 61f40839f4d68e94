/**
 * PyTorch's `*_copy` functions. Results never share memory here, so they are the others by another
 * name.
 */

export { diagonal as diagonalCopy } from './diagonals.ts';
export { clone as aliasCopy, detach as detachCopy, t as tCopy } from './dimensions.ts';
export {
  expand as expandCopy,
  permute as permuteCopy,
  squeeze as squeezeCopy,
  transpose as transposeCopy,
  unsqueeze as unsqueezeCopy,
  view as viewCopy,
} from './movement.ts';
export { narrow as narrowCopy, select as selectCopy, slice as sliceCopy } from './slicing.ts';
/** PyTorch's `unsafe_*` say of views that nobody will change them; here nobody can. */
export {
  chunk as unsafeChunk,
  split as splitCopy,
  split as unsafeSplit,
  splitWithSizes as splitWithSizesCopy,
  unbind as unbindCopy,
} from './splitting.ts';
export { unfold as unfoldCopy } from './unfolding.ts';
