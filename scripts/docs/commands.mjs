/** A page for every command, from commander's own definitions. */

import { block, code, heading, sentence, table } from './markdown.mjs';

/** @typedef {import('commander').Command} Command */
/** @typedef {typeof import('../../src/internal.ts')} Torchts */

const FOLDER = 'docs/commands';

/**
 * @param {Torchts} torchts
 * @returns {[file: string, text: string][]}
 */
export function commandPages(torchts) {
  const root = torchts.program(torchts.idleContext());
  const pages = visible(root).map((command) => {
    const sections = [command, ...command.commands].map((one) => section(torchts, one));
    const title = heading(`torchts ${command.name()}`);
    return /** @type {[string, string]} */ ([
      `${FOLDER}/${command.name()}.md`,
      `${title}${sections.join('\n')}`,
    ]);
  });
  return [[`${FOLDER}/README.md`, index(torchts, root)], ...pages];
}

/** The commands that help lists, but for help itself. @param {Command} root */
const visible = (root) =>
  root
    .createHelp()
    .visibleCommands(root)
    .filter((command) => root.commands.includes(command));

/** @param {Torchts} torchts @param {Command} root */
function index(torchts, root) {
  const commands = visible(root).map((command) => [
    `[${code(command.name())}](${command.name()}.md)`,
    sentence(command.summary() || command.description()),
  ]);
  const { notes = '' } = torchts.helpOf(root) ?? {};
  return [
    heading('Commands'),
    table(['command', 'what it does'], commands),
    `\n${examples(torchts, root)}`,
    `\n${block(notes, 'text')}`,
  ].join('');
}

/** @param {Torchts} torchts @param {Command} command */
function section(torchts, command) {
  const isPart = command.parent?.parent != null;
  const help = torchts.helpOf(command) ?? { examples: [] };
  const parts = [
    ...(isPart ? [`## torchts ${command.parent?.name()} ${command.name()}\n`] : []),
    `${sentence(command.description())}${command.description().endsWith('.') ? '' : '.'}\n`,
    block(`torchts ${usage(command)}`),
  ];
  if (command.registeredArguments.length > 0) parts.push(argumentTable(command));
  const options = command.options.filter((option) => !option.hidden);
  if (options.length > 0) parts.push(optionTable(options));
  parts.push(examples(torchts, command));
  if (help.notes !== undefined) parts.push(`${help.notes}\n`);
  if (command.commands.length === 0) parts.push(exits(torchts.exitsOf(help)));
  return parts.join('\n');
}

/** @param {Command} command */
function usage(command) {
  const names = [];
  for (let at = command; at.parent !== null; at = at.parent) names.unshift(at.name());
  return [...names, command.usage()].join(' ');
}

/** @param {Command} command */
function argumentTable({ registeredArguments }) {
  const rows = registeredArguments.map((argument) => [
    code(argument.name()),
    withChoices(argument.description, argument.argChoices),
  ]);
  return table(['argument', ''], rows);
}

/** @param {readonly import('commander').Option[]} options */
function optionTable(options) {
  const rows = options.map(({ flags, description, argChoices, defaultValue }) => [
    code(flags),
    withChoices(description, argChoices),
    defaultValue === undefined ? '' : code(String(defaultValue)),
  ]);
  return table(['option', '', 'default'], rows);
}

/** @param {string} description @param {readonly string[]} [choices] */
function withChoices(description, choices) {
  return choices === undefined ? description : `${description}: ${choices.map(code).join(', ')}`;
}

/** @param {Torchts} torchts @param {Command} command */
function examples({ helpOf }, command) {
  const lines = helpOf(command)?.examples.flatMap(([line, what]) => [`# ${what}`, line]) ?? [];
  return lines.length === 0 ? '' : block(lines.join('\n'));
}

/** @param {readonly (readonly [number, string])[]} codes */
function exits(codes) {
  return table(
    ['exit code', ''],
    codes.map(([value, meaning]) => [String(value), meaning]),
  );
}
