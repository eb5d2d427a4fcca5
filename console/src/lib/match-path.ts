/** Values of the parameters of a path, such as `id` of `/jobs/:id`. */
export type PathParams = Readonly<Record<string, string>>;

/** Returns the parameters of a path that matches a pattern; null if it does not. */
export function matchPath(pattern: string, path: string): PathParams | null {
  const names = pattern.split('/');
  const parts = path.split('/');
  if (names.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    const part = parts[i] ?? '';
    const value = name.startsWith(':') ? decoded(part) : null;
    if (value !== null) params[name.slice(1)] = value;
    else if (name !== part) return null;
  }
  return params;
}

/** Returns the text of a part of a path; null if its percent encoding is broken. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
