import type { FileWindow } from './file-window.ts';

const endMark = 'PK\x05\x06';
const endBytes = 22;
/** The comment after the end record of an archive has at most 65,535 bytes. */
const searchedBytes = endBytes + 65_535;

/**
 * Returns whether programs can open a file as an archive (APPNOTE.TXT 4.3.16): an end record whose comment ends with the
 * file. Such a file is of two types, because an archive may begin with any bytes.
 */
export async function isArchiveToo(file: FileWindow): Promise<boolean> {
  const start = Math.max(0, file.sizeBytes - searchedBytes);
  const bytes = await file.at(start, searchedBytes);
  for (let at = bytes.indexOf(endMark, 0, 'latin1'); at >= 0; at = bytes.indexOf(endMark, at + 1, 'latin1')) {
    if (at + endBytes > bytes.length) return false;
    if (at + endBytes + bytes.readUInt16LE(at + endBytes - 2) === bytes.length) return true;
  }
  return false;
}
