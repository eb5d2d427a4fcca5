import ts from 'typescript6';
import { parse } from 'yaml';
import { syntaxTreeOf, textOf, trackedFiles, visitNodes } from './source-files.ts';

/** Text that people read, with its origin. */
export interface Passage {
  readonly kind: 'comment' | 'message' | 'title' | 'page' | 'openapi';
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** Strings of these files are data: the vocabulary of prompts that the studio recognizes, and the word lists. */
const vocabularies = /^src\/local\/studio\/(describe\/|drawing\/prompt-words)|^scripts\/language\/words/;
const withMessages = /^(src|bench|scripts|examples|deploy|clients|console)\//;
const withHashComments = /(^|\/)(Dockerfile|docker-compose\.yml|run|commit-msg|\.env\.example)$/;

/** Returns every comment, message, test title and page of the project, without code. */
export function passages(): Passage[] {
  return trackedFiles.flatMap((path) => {
    if (/\.tsx?$/.test(path)) return typescriptPassages(path);
    if (path.endsWith('.md')) return pagePassages(path);
    if (path === 'openapi.yaml') return openapiPassages(path);
    if (withHashComments.test(path)) return hashComments(path);
    return [];
  });
}

function typescriptPassages(path: string): Passage[] {
  const tree = syntaxTreeOf(path);
  const literals: ts.Node[] = [];
  const texts: Passage[] = [];
  const add = (kind: Passage['kind'], node: ts.Node, text: string) => {
    texts.push({ kind, path, line: lineOf(tree, node.getStart(tree)), text });
  };
  visitNodes(tree, (node) => {
    if (ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node) || ts.isRegularExpressionLiteral(node)) {
      literals.push(node);
    }
    const title = titleOf(node);
    if (title) add('title', title, literalText(title));
    if (withMessages.test(path) && !vocabularies.test(path) && isLiteral(node)) {
      const text = messageOf(literalText(node));
      if (text !== '') add('message', node, text);
    }
  });
  return [...commentsOf(path, tree, literals), ...texts];
}

function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

type Literal = ts.StringLiteral | ts.NoSubstitutionTemplateLiteral | ts.TemplateExpression;

function isLiteral(node: ts.Node): node is Literal {
  if (ts.isStringLiteral(node)) return !ts.isImportDeclaration(node.parent);
  return ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node);
}

/** Returns the text of a literal, with an ellipsis for each value that is inserted at run time. */
function literalText(node: Literal): string {
  if (!ts.isTemplateExpression(node)) return node.text;
  return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('');
}

/** Returns the prose of a string: the comments of a Lua script, nothing of a string that is no sentence. */
function messageOf(text: string): string {
  if (/\bredis\.call\b|\bKEYS\[|\bARGV\[/.test(text)) {
    return Array.from(text.matchAll(/--\s*(.*)$/gm), ([, comment]) => comment).join('\n');
  }
  return /[a-z.,;:]\s+[a-z]/i.test(text) ? text : '';
}

/** Returns the title of a test or a group of tests if the node is a call that declares one. */
function titleOf(node: ts.Node): Literal | undefined {
  if (!ts.isCallExpression(node)) return undefined;
  let callee: ts.Expression = node.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  if (!ts.isIdentifier(callee) || !/^(it|test|describe)$/.test(callee.text)) return undefined;
  const [title] = node.arguments;
  return title && isLiteral(title) ? title : undefined;
}

/** Returns the comments of a file. Consecutive line comments are one passage. */
function commentsOf(path: string, tree: ts.SourceFile, literals: readonly ts.Node[]): Passage[] {
  // Literals may contain comment marks, so their text is blanked first.
  let code = tree.text;
  for (const literal of literals) {
    const start = literal.getStart(tree);
    code = code.slice(0, start) + ' '.repeat(literal.end - start) + code.slice(literal.end);
  }
  const comments = code.matchAll(/\/\*[\s\S]*?\*\/|\/\/.*(?:\n[ \t]*\/\/.*)*/g);
  return Array.from(comments, (match) => ({
    kind: 'comment',
    path,
    line: lineOf(tree, match.index),
    text: commentText(tree.text.slice(match.index, match.index + match[0].length)),
  }));
}

function commentText(comment: string): string {
  return comment
    .replace(/^\/\*+|\*+\/$/g, '')
    .replace(/^[ \t]*(\/\/+|\*)[ \t]?/gm, '')
    .replace(/^biome-ignore \S+ /gm, '')
    .trim();
}

/** Returns the paragraphs of a Markdown page, without code except the labels of diagrams. */
function pagePassages(path: string): Passage[] {
  // Blanked code keeps its line breaks, so that line numbers stay right.
  const blank = (code: string) => code.replace(/[^\n]/g, '');
  const text = textOf(path)
    .replace(/^```(?!mermaid)\w*\n[\s\S]*?^```$/gm, blank)
    .replace(/`[^`\n]*`/g, '')
    .replace(/\]\([^)]*\)/g, ']');
  return Array.from(text.matchAll(/\S[\s\S]*?(?=\n\s*\n|$(?![\s\S]))/g), (match) => ({
    kind: 'page',
    path,
    line: text.slice(0, match.index).split('\n').length,
    text: match[0],
  }));
}

/** Returns the texts of the API document: titles, summaries and descriptions. */
function openapiPassages(path: string): Passage[] {
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (typeof member === 'string' && /^(title|summary|description)$/.test(name)) texts.push(member);
      else if (!/^examples?$/.test(name)) collect(member);
    }
  };
  collect(parse(textOf(path)));
  return texts.map((text) => ({ kind: 'openapi', path, line: 1, text }));
}

function hashComments(path: string): Passage[] {
  return Array.from(textOf(path).matchAll(/^[ \t]*#(?!!)(.*(?:\n[ \t]*#.*)*)/gm), (match) => ({
    kind: 'comment',
    path,
    line: textOf(path).slice(0, match.index).split('\n').length,
    text: (match[1] ?? '').replace(/^[ \t]*#/gm, '').trim(),
  }));
}
