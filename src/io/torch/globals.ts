/**
 * The names that a PyTorch file may speak of, and what they make: the plain parts of those that
 * `torch.load(weights_only=True)` allows. Nothing else is known here, so nothing else can be asked.
 * https://docs.pytorch.org/docs/stable/notes/serialization.html
 */

import { type Callable, Tuple } from '../pickle/pickle.ts';
import { ELEMENT_TYPES, type ElementType, Storage, View, viewFault } from './storage.ts';

/** `torch.FloatStorage` and its like: the type of a storage's elements. */
export class StorageType {
  constructor(readonly type: ElementType | undefined) {}
}

const callable = (call: Callable['call']): Callable => ({ call });

const GLOBALS = new Map<string, unknown>([
  ['collections.OrderedDict', callable((args) => orderedDict(args))],
  ['collections.defaultdict', callable(() => new Map())],
  ['torch.Size', callable(([sizes]) => sizes ?? [])],
  ['torch.device', callable((args) => args.join(':'))],
  ['torch._utils._rebuild_tensor', callable((args) => rebuild(args))],
  ['torch._utils._rebuild_tensor_v2', callable((args) => rebuild(args))],
  ['torch._utils._rebuild_tensor_v3', callable((args) => rebuild(args, args[6]))],
  ['torch._utils._rebuild_parameter', callable(([data]) => data)],
  ['torch._utils._rebuild_parameter_with_state', callable(([data]) => data)],
  ['torch.nn.parameter.Parameter', callable(([data]) => data)],
  ['torch._tensor._rebuild_from_type_v2', callable((args) => rebuildFromType(args))],
  ['torch.Tensor', 'Tensor'],
  ['torch.storage.UntypedStorage', new StorageType(undefined)],
  ...ELEMENT_TYPES.map((type): [string, unknown] => [`torch.${type.name}`, type]),
  ...ELEMENT_TYPES.filter(({ storage }) => storage !== undefined).map((type): [string, unknown] => [
    `torch.${type.storage}`,
    new StorageType(type),
  ]),
]);

/** Throws for a name that a file of weights has no use for. */
export function globalNamed(module: string, name: string): unknown {
  // Python 2 had other names for these.
  const full = `${module}.${name}`.replace('torch.cuda.', 'torch.');
  const found = GLOBALS.get(full);
  if (found !== undefined) return found;
  throw new Error(
    `it asks for ${full.slice(0, 100)}, which is no part of plain weights; ` +
      'save model.state_dict() and nothing else',
  );
}

function orderedDict([items]: readonly unknown[]): Map<unknown, unknown> {
  if (items === undefined) return new Map();
  if (!Array.isArray(items)) throw new Error('an OrderedDict is made of what is no list');
  return new Map(items as [unknown, unknown][]);
}

/** (storage, offset, shape, stride, ...). A storage without a type has it from its tensors. */
function rebuild([storage, offset, shape, stride]: readonly unknown[], dtype?: unknown): View {
  if (!(storage instanceof Storage)) throw new Error('a tensor has no storage');
  if (!Array.isArray(shape) || !Array.isArray(stride)) {
    throw new Error('a tensor has no shape');
  }
  const type = (dtype as ElementType | undefined) ?? storage.type;
  if (type === undefined || !ELEMENT_TYPES.includes(type)) throw new Error('a tensor has no dtype');
  const view = new View(storage, type, Number(offset), [...shape], [...stride]);
  const fault = viewFault(view);
  if (fault !== undefined) throw new Error(`a tensor cannot be: ${fault}`);
  return view;
}

/** (function, type, arguments, state): what subclasses of Tensor are made by. */
function rebuildFromType([make, , args]: readonly unknown[]): unknown {
  if (!(args instanceof Tuple) || typeof (make as Callable)?.call !== 'function') {
    throw new Error('a tensor is made of nothing');
  }
  return (make as Callable).call(args);
}
