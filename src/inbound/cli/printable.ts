/** Control characters of ASCII and of Latin-1, apart from tabs and line breaks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals act on these characters.
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Returns a text of a caller for a terminal. Its control characters could otherwise move the cursor or set the title. */
export const printable = (text: string): string => text.replace(controls, '\ufffd');

/** Returns a text of a caller for one line of a terminal. Its line breaks could otherwise forge further lines. */
export const printableLine = (text: string): string => printable(text).replace(/[\t\n]/g, ' ');
