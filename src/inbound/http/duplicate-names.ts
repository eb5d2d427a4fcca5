/**
 * Pattern of a JSON string, or of a character that opens, closes or separates. The closing quote is optional, so that
 * unclosed strings take linear time.
 */
const tokens = /"(?:[^"\\]|\\.)*"?|[{}[\],:]/g;

interface Level {
  readonly names: Set<string> | null;
  /** Name or index of the current member. */
  current: string;
  isName: boolean;
}

/**
 * Returns the path (names and indexes) of the first member whose name occurs twice in one object. Returns `null` if no name
 * occurs twice. The text must be valid JSON.
 */
export function findDuplicateName(text: string): readonly string[] | null {
  const levels: Level[] = [];
  for (const [token] of text.matchAll(tokens)) {
    const level = levels.at(-1);
    if (token === '{') levels.push({ names: new Set(), current: '', isName: true });
    else if (token === '[') levels.push({ names: null, current: '0', isName: false });
    else if (token === '}' || token === ']') levels.pop();
    else if (level && token === ',') advance(level);
    else if (level && token === ':') level.isName = false;
    else if (level?.isName && level.names) {
      level.current = JSON.parse(token) as string;
      if (level.names.has(level.current)) return levels.map(({ current }) => current);
      level.names.add(level.current);
    }
  }
  return null;
}

function advance(level: Level): void {
  if (level.names) level.isName = true;
  else level.current = String(Number(level.current) + 1);
}
