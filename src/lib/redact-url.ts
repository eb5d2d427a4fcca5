const secretParameter = /key|token|secret|pass|pwd|sig|code|auth|cred|session|sas/i;

/** Returns a text without the password and the secret parameters of a URL. Other texts stay unchanged. */
export function redactUrl(text: string): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  const secrets = [...url.searchParams.keys()].filter((name) => secretParameter.test(name));
  if (!url.username && !url.password && secrets.length === 0) return text;
  if (url.username) url.username = 'hidden';
  if (url.password) url.password = 'hidden';
  for (const name of secrets) url.searchParams.set(name, 'hidden');
  return url.toString();
}
