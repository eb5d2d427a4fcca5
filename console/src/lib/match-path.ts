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
    if (name.startsWith(':')) params[name.slice(1)] = decodeURIComponent(part);
    else if (name !== part) return null;
  }
  return params;
}
