const maxLength = 18;

/** Shortens a long id in the middle, so that both ends stay readable: `req_7f36aa…d494b1`. */
export function shortId(id: string): string {
  return id.length <= maxLength ? id : `${id.slice(0, 10)}…${id.slice(-6)}`;
}
