import { ProviderError } from '../../../../domain/ports.ts';
import { classifyText } from '../client/classify-whole.ts';
import { publicMessage } from '../client/public-message.ts';
import { ResponseFault } from './response-fault.ts';

/** Links, and paths of files. */
const link =
  /^(?:[A-Za-z][A-Za-z0-9+.-]{0,30}:\/\/|\/\/[\w-]|\.{0,2}\/[\w./%~-]{0,1000}\.[A-Za-z]{2,5}(?:\?|$))/;
const emptyWord = /^(?:none|null|nil|undefined|nan|true|false|n\/a)$/i;
const hexadecimal = /^(?:0x)?[0-9a-f]{16,}$/i;
/** A short first word. Base64 is wrapped to longer lines. */
const sentence = /^\S{1,40}\s+\S/;

/**
 * Names a text in place of base64: the text of a refusal, a link, a word or a sentence. Another call would bring the same.
 *
 * @param start the first bytes.
 * @param isWhole whether they are the whole text. Only a whole text can state a refusal.
 * @returns `null` if the text may be base64.
 */
export function otherText(start: Buffer, isWhole: boolean): Error | null {
  const text = start.toString('utf8').trim();
  const stated = isWhole ? classifyText(text) : null;
  // A model may have written the text, as a prompt asked. It must block neither the account nor the model for other jobs.
  if (stated?.kind === 'final') return new ProviderError(stated);
  const shape = shapeOf(text);
  if (shape === null && stated) return new ResponseFault('it holds an error in place of base64', 'unusable');
  return shape === null ? null : new ResponseFault(`it holds ${shape} in place of base64`, 'unusable');
}

function shapeOf(text: string): string | null {
  if (link.test(text)) return 'a link';
  if (emptyWord.test(text)) return `the word ${text}`;
  if (hexadecimal.test(text)) return 'hexadecimal digits';
  const said = sentence.test(text) ? publicMessage(text) : null;
  return said === null ? null : `the text "${said}"`;
}
