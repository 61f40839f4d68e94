/** From zod's issues to faults that point at the config's text. */

import type { z } from 'zod';
import { expectedGot } from './messages.ts';
import type { ConfigPath, Fault } from './place.ts';
import { locate, type Tree, valueAt } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** The faults behind `issues`, which a schema found in the value of `tree`. */
export function faultsOf(issues: readonly Issue[], tree: Tree): Fault[] {
  return issues.flatMap((issue) => faultsOfIssue(issue, issue.path as ConfigPath, tree));
}

function faultsOfIssue(issue: Issue, path: ConfigPath, tree: Tree): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const messages = splitMessages(issue);
    return issue.keys.map((key, i) => ({
      place: locate(tree, [...path, key], 'key'),
      path,
      message: messages[i]!,
    }));
  }
  const inner = issue.code === 'invalid_union' ? issue.errors.find(insideValue) : undefined;
  if (inner !== undefined) {
    return inner.flatMap((deeper) =>
      faultsOfIssue(deeper, [...path, ...(deeper.path as ConfigPath)], tree),
    );
  }
  const aim = issue.code === 'custom' && issue.params?.aim === 'key' ? 'key' : 'value';
  return [{ place: locate(tree, path, aim), path, message: messageOf(issue, path, tree) }];
}

/** A union's branch that took the value's form and found fault with something inside it. */
function insideValue(branch: readonly Issue[]): boolean {
  const isInside = ({ path, code }: Issue) => path.length > 0 || code === 'unrecognized_keys';
  return branch.length > 0 && branch.every(isInside);
}

/** `strict` words all unknown keys of an object in one message; here each gets its own part. */
function splitMessages(issue: z.core.$ZodIssueUnrecognizedKeys): string[] {
  const parts = issue.message.split(/; (?=unknown key ")/);
  return parts.length === issue.keys.length ? parts : issue.keys.map(() => issue.message);
}

/** Schemas with a message of their own, such as a registry's, do not say what they got. */
function messageOf(issue: Issue, path: ConfigPath, tree: Tree): string {
  const { message } = issue;
  const expected = /^expected (.*)$/s.exec(message)?.[1];
  if (expected === undefined || message.includes(', got ')) return message;
  return expectedGot(expected, valueAt(tree, path));
}
