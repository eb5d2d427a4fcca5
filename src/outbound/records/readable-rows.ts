/**
 * Decodes the rows of a list and omits missing rows. An unreadable row is reported and skipped, so that one record of another
 * release does not fail the list.
 */
export function readableRows<Row>(
  ids: readonly string[],
  texts: readonly (string | null)[],
  {
    decode,
    onUnreadable,
  }: { decode: (text: string) => Row; onUnreadable: (id: string, error: unknown) => void },
): Row[] {
  return texts.flatMap((text, i) => {
    if (text === null) return [];
    try {
      return [decode(text)];
    } catch (error) {
      onUnreadable(ids[i] ?? '', error);
      return [];
    }
  });
}
