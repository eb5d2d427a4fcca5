/** Returns the body of a webhook without the links of its images, which are signed for each attempt. */
export function withoutLinks(body: string): string {
  return body.replaceAll(/"url":"[^"]*","url_expires_at":"[^"]*"/g, '');
}
