/** Reads CSV (RFC 4180) or tab-separated text. @returns a record for each line after the header, by column in lower case. */
export function parseCsv(text: string): Record<string, string>[] {
  const [header = [], ...lines] = rowsOf(text.replace(/^\uFEFF/, ''));
  const columns = header.map((name) => name.trim().toLowerCase());
  return lines.map((cells) => Object.fromEntries(columns.map((name, i) => [name, (cells[i] ?? '').trim()])));
}

function rowsOf(text: string): string[][] {
  const separator = text.slice(0, text.search(/[\r\n]|$/)).includes('\t') ? '\t' : ',';
  const cell =
    separator === '\t'
      ? /("(?:[^"]|"")*"|[^\t\r\n]*)(\t|\r?\n|$)/y
      : /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/y;
  const rows: string[][] = [];
  for (let row: string[] = []; cell.lastIndex < text.length; ) {
    const [whole = '', value = '', end = ''] = cell.exec(text) ?? [];
    if (whole === '') throw new Error(`The CSV has a stray quote in line ${rows.length + 1}.`);
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (end === separator && cell.lastIndex < text.length) continue;
    if (row.some((each) => each !== '')) rows.push(row);
    row = [];
  }
  return rows;
}
