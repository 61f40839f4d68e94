/** Who may know whom: the rules of docs/architecture.md as data. */

/** The rooms of `src/`, from the top down. A room may import every room on a lower line. */
export const LEVELS: readonly (readonly string[])[] = [
  ['cli'],
  ['sweep'],
  ['train'],
  ['config', 'data', 'io', 'report', 'onnx'],
  ['models', 'metrics', 'callbacks'],
  ['nn', 'optim'],
  ['ops'],
  ['core'],
  ['plan'],
  ['engine'],
  ['base'],
];

/** Edges between rooms of one line, which are otherwise strangers. */
export const SIDEWAYS: readonly (readonly [from: string, to: string])[] = [
  // The config's schema gathers the registries of everything that YAML can name.
  ['config', 'data'],
  // Downloaded files are put in place by the same atomic write as checkpoints.
  ['data', 'io'],
  // A traced model is written as a file of that format.
  ['onnx', 'io'],
  // The average of a model's weights is a model.
  ['optim', 'nn'],
];

/** Edges that run downwards and are still wrong. */
export const FORBIDDEN: readonly (readonly [from: string, to: string, why: string])[] = [
  ['data', 'nn', 'a data set knows no module'],
  ['data', 'optim', 'a data set knows no optimizer'],
  ['io', 'nn', 'a file format does not know what its tensors mean'],
  ['io', 'optim', 'a file format does not know what its tensors mean'],
];

/** Folders whose inside is open to these files only. */
export const PRIVATE: readonly (readonly [folder: string, users: readonly string[]])[] = [
  // One place chooses the engine; all others see the interface in engine/engine.ts. `doctor` and
  // the memory report also ask what the native engine found on this machine.
  [
    'src/engine/native/',
    ['src/engine/native/', 'src/core/device.ts', 'src/cli/examine.ts', 'src/cli/memory.ts'],
  ],
  ['src/engine/reference/', ['src/engine/reference/']],
];

/** Things only these files may do. */
export const EXCLUSIVE: readonly (readonly [
  what: string,
  sign: RegExp,
  users: readonly string[],
])[] = [
  [
    'load native code',
    /\bcreateRequire\b|\bprocess\.dlopen\b|\brequire\(|\.node['"`]/,
    ['src/engine/native/'],
  ],
  [
    'start other programs',
    /['"](node:)?child_process['"]/,
    // An unpacking tool of the system; the state of git for a run's record; trainings to kill.
    ['src/data/', 'src/train/environment.ts', 'src/train/verify-resume.ts'],
  ],
];
