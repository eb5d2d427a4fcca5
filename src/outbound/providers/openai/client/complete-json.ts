/**
 * Closes the open texts, lists and objects at the end of JSON that was cut off.
 *
 * @returns valid JSON, without the last member if that was cut inside its name or its value. The text itself if it is no
 *   start of a JSON object or list.
 */
export function completeJson(start: string): string {
  const open: string[] = [];
  let isText = false;
  /** The start up to the last complete member, with the brackets that were open there. */
  let complete = '';
  for (let at = 0; at < start.length; at += 1) {
    const char = start[at];
    if (char === '\\' && isText) at += 1;
    else if (char === '"') isText = !isText;
    else if (isText) continue;
    else if (char === '{' || char === '[') open.push(char === '{' ? '}' : ']');
    else if (char === '}' || char === ']') open.pop();
    else if (char === ',') complete = start.slice(0, at) + closing(open);
  }
  const text = isText ? `${start.replace(/\\(?:u[0-9a-f]{0,3})?$/i, '')}"` : start;
  return [text + closing(open), complete].find(isObject) ?? start;
}

const closing = (open: readonly string[]) => open.toReversed().join('');

function isObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}
