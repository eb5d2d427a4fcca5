/** Builders of event streams as providers send them. */

export const usage = { input_tokens: 17, output_tokens: 396, total_tokens: 413 };

/** Returns one server-sent event. */
export const serverEvent = (type: string, data: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

/** Returns a preview of the Images API. */
export const partialEvent = (no: number, image: Buffer, api: 'generation' | 'edit' = 'generation') =>
  serverEvent(`image_${api}.partial_image`, {
    b64_json: image.toString('base64'),
    partial_image_index: no,
    created_at: 1,
    output_format: 'png',
  });

/** Returns the final image of the Images API. */
export const completedEvent = (image: Buffer, api: 'generation' | 'edit' = 'generation') =>
  serverEvent(`image_${api}.completed`, { b64_json: image.toString('base64'), created_at: 2, usage });

/** Returns an error event. */
export const errorEvent = (error: object) => serverEvent('error', { error });
