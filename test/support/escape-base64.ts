/** The forms of base64 in the JSON of providers. */
export const escapings = ['none', 'slash', 'unicode', 'wrapped', 'dataUrl', 'urlSafe'] as const;

/** Returns base64 in the given form, as it appears between the quotes of a JSON string. */
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
