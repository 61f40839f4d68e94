/**
 * Registries of names: what may stand after `type:` in a config, with the zod schema of its
 * arguments. `nn`, `optim` and `data` each own one; `config` reads them all. The schema beside a
 * class is the only place where its arguments and defaults are written.
 */

import { z } from 'zod';
import type { Adopt } from './adopt.ts';
import { ArgumentError, nearestName } from './errors.ts';
import { splitUserType, userExport, userTypeHint } from './user-code.ts';

/** `z.strictObject` whose unknown-key message names the nearest known key. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      return (issue.keys as string[]).map((key) => unknownKey(key, known)).join('; ');
    },
  });
}

export function unknownKey(key: string, known: readonly string[]): string {
  if (known.length === 0) return `unknown key "${key}"`;
  const nearest = nearestName(key, known);
  const hint =
    nearest === undefined ? `known keys: ${known.join(', ')}` : `did you mean "${nearest}"?`;
  return `unknown key "${key}"; ${hint}`;
}

/**
 * A schema meets few values, and zod takes longer to compile a parser for it than to do without.
 */
export const INTERPRETED = { jitless: true } as const;

/**
 * `value` as `schema` gives it, for objects written in code.
 * @throws ArgumentError `[name] key: what is wrong`, naming every fault.
 */
export function parseOptions<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value, INTERPRETED);
  if (parsed.success) return parsed.data;
  throw new ArgumentError(`[${name}] ${faultsIn(parsed.error)}`);
}

/** Every fault with its place, in one line. */
export function faultsIn({ issues }: z.ZodError): string {
  const faults = issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  return faults.join('; ');
}

/** A parsed spec: the type's name and its arguments, defaults filled in. */
export type Spec = { type: string } & Record<string, unknown>;

export interface Entry<T, Context = void> {
  /** A strict object schema of the arguments beside `type`. */
  readonly schema: z.ZodObject;
  /** Builds from arguments that `schema` has parsed. */
  // biome-ignore lint/suspicious/noExplicitAny: each entry knows the type its own schema gives
  readonly create: (options: any, context: Context) => T;
  /** One sentence on it, where it is not PyTorch's. */
  readonly summary?: string;
  /** Its page, where it is not the one its registry expects for PyTorch's. */
  readonly page?: string;
  /** What to add where an argument is unknown. */
  readonly note?: string | undefined;
}

/** A context that may be undefined may be left out. */
type ContextArgument<Context> = undefined extends Context
  ? [context?: Context]
  : [context: Context];

/** What describes a registry from outside: to a JSON Schema, pages of documentation, completion. */
export interface AnyRegistry {
  readonly kind: string;
  names(): string[];
  argumentsOf(type: string): z.ZodObject;
  about(type: string): {
    readonly summary?: string | undefined;
    readonly page?: string | undefined;
  };
}

/** zod rewrites the types of schemas inside what it remembers of one, hence `unknown`. */
const specRegistries = z.registry<{ of: unknown }>();

/** The registry whose specs `schema` reads; copies that `describe` makes of it are known too. */
export function registryOf(schema: z.core.$ZodType): AnyRegistry | undefined {
  return specRegistries.get(schema)?.of as AnyRegistry | undefined;
}

/** Keys allowed beside every type's own arguments; some follow from these. */
type CommonKeys = z.ZodRawShape | ((own: z.ZodRawShape) => z.ZodRawShape);

export class Registry<T, Context = void> {
  readonly #entries = new Map<string, Entry<T, Context>>();
  #adopt: Adopt<T, Context> | undefined;
  /** Of users' types met so far. */
  readonly #adopted = new Map<unknown, Entry<T, Context>>();
  /** Of each entry parsed so far: its own arguments and the common ones. */
  readonly #schemas = new Map<Entry<T, Context>, z.ZodObject>();
  #spec: z.ZodType<Spec> | undefined;

  /**
   * @param kind what an entry is, for messages: `module`, `optimizer`, `data set`.
   * @param common keys allowed beside every type's own arguments, which it may depend on.
   * @param pages where PyTorch describes its entries; `*` stands for the type.
   */
  constructor(
    readonly kind: string,
    readonly common: CommonKeys = {},
    readonly pages?: string,
  ) {}

  #commonOf({ schema }: Entry<T, Context>): z.ZodRawShape {
    return typeof this.common === 'function' ? this.common(schema.shape) : this.common;
  }

  /** Says how a user's own types are taken; without that there are none of this kind. */
  adopt(rule: Adopt<T, Context>): void {
    this.#adopt = rule;
  }

  register(type: string, entry: Entry<T, Context>): void {
    if (this.#entries.has(type)) throw new Error(`${this.kind} ${type} is registered twice`);
    this.#entries.set(type, entry);
  }

  names(): string[] {
    return [...this.#entries.keys()].sort();
  }

  /** @throws ArgumentError for an export of a user's file that is none of this kind. */
  get(type: string): Entry<T, Context> | undefined {
    return this.#entries.get(type) ?? this.#userEntry(type);
  }

  #userEntry(type: string): Entry<T, Context> | undefined {
    const exported = userExport(type);
    if (exported === undefined) return undefined;
    const { value } = exported;
    if (this.#adopt === undefined) {
      throw new ArgumentError(`a ${this.kind} cannot be code of your own`);
    }
    let entry = this.#adopted.get(value);
    if (entry === undefined) {
      try {
        entry = this.#adopt(value);
        this.#checkKeys(entry);
      } catch (error) {
        if (!(error instanceof ArgumentError)) throw error;
        throw new ArgumentError(
          `${splitUserType(type)!.name} is no ${this.kind}: ${error.message}`,
        );
      }
      this.#adopted.set(value, entry);
    }
    return entry;
  }

  /** The keys that stand beside any type have their own meaning. */
  #checkKeys(entry: Entry<T, Context>): void {
    const common = this.#commonOf(entry);
    const taken = Object.keys(entry.schema.shape).find((key) => key === 'type' || key in common);
    if (taken === undefined) return;
    throw new ArgumentError(`its schema cannot have "${taken}", which every ${this.kind} may have`);
  }

  /** The schema of one spec: a bare word or an object with `type`. Gives a `Spec`. */
  spec(): z.ZodType<Spec> {
    if (this.#spec === undefined) {
      this.#spec = this.#makeSpec();
      specRegistries.add(this.#spec, { of: this });
    }
    return this.#spec;
  }

  /** The schema of what may stand beside `type`: its own arguments and the common ones. */
  argumentsOf(type: string): z.ZodObject {
    return this.#schemaOf(this.#entries.get(type)!);
  }

  #makeSpec(): z.ZodType<Spec> {
    return z.any().transform((value: unknown, context): Spec => {
      const spec = typeof value === 'string' ? { type: value } : value;
      if (typeof spec !== 'object' || spec === null || Array.isArray(spec) || !('type' in spec)) {
        context.issues.push(this.#noSpec(value));
        return z.NEVER;
      }
      const { type, ...options } = spec as Spec;
      const entry = this.#find(type);
      if (typeof entry === 'string') {
        const path = typeof value === 'string' ? [] : ['type'];
        context.issues.push({ code: 'custom', input: type, path, message: entry });
        return z.NEVER;
      }
      const parsed = this.#schemaOf(entry).safeParse(options, INTERPRETED);
      if (!parsed.success) {
        for (const issue of parsed.error.issues) {
          const note = issue.code === 'unrecognized_keys' && entry.note;
          const message = note ? `${issue.message}; ${note}` : issue.message;
          context.issues.push({ ...issue, message, input: options } as z.core.$ZodRawIssue);
        }
        return z.NEVER;
      }
      return { type, ...parsed.data };
    });
  }

  /** What is wrong with a value that is no spec; a mistyped `type` where one is likely. */
  #noSpec(value: unknown): z.core.$ZodRawIssue {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const known = ['type', ...this.#argumentNames()];
      const typo = Object.keys(value).find((key) => nearestName(key, known) === 'type');
      const input = value as Record<string, unknown>;
      if (typo !== undefined) {
        const message = unknownKey(typo, ['type']);
        return { code: 'unrecognized_keys', input, keys: [typo], message };
      }
    }
    const article = /^(?:[aeiou]|lr)/.test(this.kind) ? 'an' : 'a';
    const message = `expected ${article} ${this.kind}: a name, or an object with "type"`;
    return { code: 'custom', input: value, message };
  }

  /** The names of all types' arguments. */
  #argumentNames(): string[] {
    return this.names().flatMap((type) => Object.keys(this.argumentsOf(type).shape));
  }

  /** The entry of a type, or what is wrong with it. */
  #find(type: unknown): Entry<T, Context> | string {
    try {
      return (typeof type === 'string' ? this.get(type) : undefined) ?? this.unknown(type);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return error.message;
    }
  }

  #schemaOf(entry: Entry<T, Context>): z.ZodObject {
    let schema = this.#schemas.get(entry);
    if (schema === undefined) {
      const { shape, def } = entry.schema;
      // What a schema checks beyond its keys, it checks here too.
      const checks = (def.checks ?? []) as z.core.$ZodCheck<unknown>[];
      schema = strict({ ...this.#commonOf(entry), ...shape }).check(...checks);
      this.#schemas.set(entry, schema);
    }
    return schema;
  }

  /** What `type` is: a sentence, or the page of PyTorch's that describes it, or both. */
  about(type: string): ReturnType<AnyRegistry['about']> {
    const { summary, page } = this.#entries.get(type)!;
    const isOurs = summary !== undefined;
    return { summary, page: page ?? (isOurs ? undefined : this.pages?.replace('*', type)) };
  }

  /**
   * Builds from a spec given in code or parsed from YAML. Throws an ArgumentError naming every
   * fault.
   */
  build(value: unknown, ...[context]: ContextArgument<Context>): T {
    const { type, ...options } = parseOptions(this.kind, this.spec(), value);
    const entry = this.get(type)!;
    // The common keys are not the type's own arguments.
    for (const key of Object.keys(this.#commonOf(entry))) delete options[key];
    return entry.create(options, context as Context);
  }

  unknown(type: unknown): string {
    if (typeof type !== 'string') return `expected the name of a ${this.kind}`;
    const file = userTypeHint(type);
    if (file !== undefined) return `unknown ${this.kind} "${type}"; ${file}`;
    const names = this.names();
    const nearest = nearestName(type, names);
    const hint = nearest === undefined ? knownNames(names) : `did you mean "${nearest}"?`;
    return `unknown ${this.kind} "${type}"; ${hint}`;
  }
}

/** More names than this are not listed in a message. */
const MOST_NAMES = 32;

function knownNames(names: readonly string[]): string {
  if (names.length === 0) return 'none is known';
  if (names.length <= MOST_NAMES) return `known: ${names.join(', ')}`;
  return `${names.length} are known; docs/config lists them`;
}
