import ts from 'typescript6';
import { describe, expect, it } from 'vitest';
import { syntaxTreeOf, textOf, typescriptFiles, visitNodes } from '../../scripts/language/source-files.ts';

const maxFileLines = 250;
const maxFunctionLines = 50;
const maxParameters = 3;

/** Geometry: coordinates and sizes are clearer as parameters. */
const withManyParameters = /^src\/local\/studio\/drawing\//;
/** The tutorial that the benchmark compares with is written as tutorials are. */
const foreignStyle = /^bench\/tutorial\//;

type FunctionNode = ts.FunctionLikeDeclaration & { body: ts.Node };

function isFunction(node: ts.Node): node is FunctionNode {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

/** Returns whether a function is the body of `it.each`, whose parameters are the columns of a table. */
function isTableTest(node: ts.Node): boolean {
  return ts.isCallExpression(node.parent) && ts.isCallExpression(node.parent.expression);
}

interface MeasuredFunction {
  readonly name: string;
  /** Lines of the function without the lines of the functions inside it. A line that both share counts. */
  readonly ownLines: number;
  readonly parameters: number;
}

function lines(tree: ts.SourceFile, node: ts.Node): number {
  const line = (position: number) => tree.getLineAndCharacterOfPosition(position).line;
  return line(node.end) - line(node.getStart(tree)) + 1;
}

function linesOfInnerFunctions(tree: ts.SourceFile, node: ts.Node): number {
  let sum = 0;
  ts.forEachChild(node, (child) => {
    sum += isFunction(child) ? lines(tree, child) - 1 : linesOfInnerFunctions(tree, child);
  });
  return sum;
}

function functionsOf(path: string): MeasuredFunction[] {
  const tree = syntaxTreeOf(path);
  const measured: MeasuredFunction[] = [];
  visitNodes(tree, (node) => {
    if (!isFunction(node)) return;
    const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
    measured.push({
      name: `${path}:${line + 1}`,
      ownLines: lines(tree, node) - linesOfInnerFunctions(tree, node),
      parameters: isTableTest(node) ? 0 : node.parameters.length,
    });
  });
  return measured;
}

const functions = typescriptFiles.filter((path) => !foreignStyle.test(path)).flatMap(functionsOf);

describe('sizes', () => {
  it('the check of sizes sees files and functions', () => {
    expect(typescriptFiles.length).toBeGreaterThan(300);
    expect(functions.length).toBeGreaterThan(1_000);
  });

  it(`no file has more than ${maxFileLines} lines`, () => {
    const tooLong = typescriptFiles
      .map((path) => ({ path, count: textOf(path).trimEnd().split('\n').length }))
      .filter(({ count }) => count > maxFileLines);
    expect(tooLong.map(({ path, count }) => `${path}: ${count} lines`)).toEqual([]);
  });

  it(`no function has more than ${maxFunctionLines} own lines`, () => {
    const tooLong = functions.filter(({ ownLines }) => ownLines > maxFunctionLines);
    expect(tooLong.map(({ name, ownLines }) => `${name}: ${ownLines} own lines`)).toEqual([]);
  });

  it(`no function has more than ${maxParameters} parameters`, () => {
    const tooMany = functions.filter(
      ({ name, parameters }) => parameters > maxParameters && !withManyParameters.test(name),
    );
    expect(tooMany.map(({ name, parameters }) => `${name}: ${parameters} parameters`)).toEqual([]);
  });
});
