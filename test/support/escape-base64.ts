/** The ways in which servers write base64 into JSON. */
export const escapings = ['none', 'slash', 'unicode', 'wrapped', 'dataUrl', 'urlSafe'] as const;

/** Writes base64 text as it stands between the quotes of a JSON text. */
export function escapeBase64(text: string, how: (typeof escapings)[number]): string {
  if (how === 'slash') return text.replaceAll('/', '\\/');
  if (how === 'unicode') {
    return text.replace(/[+/=]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }
  if (how === 'wrapped') return text.replace(/.{19}/g, '$&\\r\\n');
  if (how === 'dataUrl') return `data:image/png;base64,${text}`;
  if (how === 'urlSafe') return text.replaceAll('+', '-').replaceAll('/', '_');
  return text;
}
