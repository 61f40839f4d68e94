/** Methods that arrange the same elements in another shape or order. */

import * as diagonals from '../diagonals.ts';
import * as dimensions from '../dimensions.ts';
import * as movement from '../movement.ts';
import * as repetition from '../repetition.ts';
import * as slicing from '../slicing.ts';
import * as splitting from '../splitting.ts';
import { unfold } from '../unfolding.ts';

export const shapes = {
  adjoint: dimensions.adjoint,
  broadcastTo: movement.broadcastTo,
  chunk: splitting.chunk,
  clone: dimensions.clone,
  contiguous: dimensions.contiguous,
  diag: diagonals.diag,
  diagEmbed: diagonals.diagEmbed,
  diagflat: diagonals.diagflat,
  diagonal: diagonals.diagonal,
  diagonalScatter: diagonals.diagonalScatter,
  dsplit: splitting.dsplit,
  expand: movement.expand,
  expandAs: dimensions.expandAs,
  flatten: movement.flatten,
  flip: slicing.flip,
  fliplr: repetition.fliplr,
  flipud: repetition.flipud,
  hsplit: splitting.hsplit,
  moveaxis: dimensions.moveaxis,
  movedim: dimensions.movedim,
  permute: movement.permute,
  positive: dimensions.positive,
  ravel: dimensions.ravel,
  repeat: repetition.repeat,
  repeatInterleave: repetition.repeatInterleave,
  reshape: movement.reshape,
  reshapeAs: dimensions.reshapeAs,
  roll: repetition.roll,
  rot90: repetition.rot90,
  split: splitting.split,
  splitWithSizes: splitting.splitWithSizes,
  squeeze: movement.squeeze,
  sumToSize: dimensions.sumToSize,
  swapaxes: movement.swapaxes,
  swapdims: movement.swapdims,
  t: dimensions.t,
  tensorSplit: splitting.tensorSplit,
  tile: repetition.tile,
  transpose: movement.transpose,
  tril: diagonals.tril,
  triu: diagonals.triu,
  unbind: splitting.unbind,
  unflatten: dimensions.unflatten,
  unfold,
  unsqueeze: movement.unsqueeze,
  view: movement.reshape,
  viewAs: dimensions.viewAs,
  vsplit: splitting.vsplit,
  unsafeChunk: splitting.chunk,
  unsafeSplit: splitting.split,
} as const;
