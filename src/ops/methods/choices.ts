/** Methods that choose elements, or put others in their places. */

import type { Tensor } from '../../core/tensor.ts';
import * as choosing from '../choosing.ts';
import * as indexing from '../indexing.ts';
import * as masking from '../masking.ts';
import { nonzeroStatic } from '../places.ts';
import type { Operand } from '../pointwise.ts';
import * as slicing from '../slicing.ts';
import * as subscript from '../subscript.ts';
import { unique, uniqueConsecutive } from '../unique.ts';

export const choices = {
  argwhere: masking.argwhere,
  gather: indexing.gather,
  index: subscript.index,
  indexAdd: choosing.indexAdd,
  indexCopy: choosing.indexCopy,
  indexFill: choosing.indexFill,
  indexPut: subscript.indexPut,
  indexReduce: choosing.indexReduce,
  indexSelect: choosing.indexSelect,
  maskedFill: masking.maskedFill,
  maskedScatter: masking.maskedScatter,
  maskedSelect: masking.maskedSelect,
  narrow: slicing.narrow,
  nonzero: masking.nonzero,
  put: choosing.put,
  scatter: indexing.scatter,
  scatterAdd: indexing.scatterAdd,
  scatterReduce: indexing.scatterReduce,
  select: slicing.select,
  selectScatter: slicing.selectScatter,
  slice: slicing.slice,
  sliceScatter: slicing.sliceScatter,
  take: choosing.take,
  takeAlongDim: choosing.takeAlongDim,
  where: (x: Tensor, condition: Tensor, other: Operand) => masking.where(condition, x, other),
  nonzeroStatic,
  unique,
  uniqueConsecutive,
} as const;
